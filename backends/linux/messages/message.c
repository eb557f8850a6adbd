#include "backends/linux/messages/message.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct header {
    uint32_t type;
    uint32_t id;
    uint32_t length;
    uint32_t in_memfd; /* 1: the payload is in the last descriptor */
};

static int write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, data, length);

        if (written < 0)
            return -1;
        data += written;
        length -= (size_t)written;
    }
    return 0;
}

static int memfd_with(const void *data, size_t length)
{
    heel_autoclose int fd = memfd_create("heel-message", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0 || write_all(fd, data, length) || fcntl(fd, F_ADD_SEALS, SEALS))
        return -1;
    return heel_steal_fd(&fd);
}

static void attach_fds(struct msghdr *packet, char *control, const int *fds, size_t count)
{
    struct cmsghdr *rights;

    if (count == 0)
        return;
    packet->msg_control = control;
    packet->msg_controllen = CMSG_SPACE(count * sizeof *fds);
    rights = CMSG_FIRSTHDR(packet);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(count * sizeof *fds);
    memcpy(CMSG_DATA(rights), fds, count * sizeof *fds);
}

int heel_message_send(int socket, const struct heel_message *message)
{
    struct header header = {message->type, message->id, (uint32_t)message->length, 0};
    struct iovec parts[2] = {{&header, sizeof header},
                             {(void *)(uintptr_t)message->payload, message->length}};
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};
    int fds[HEEL_MESSAGE_FDS_MAX + 1];
    size_t count = message->fd_count;
    heel_autoclose int memfd = -1;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fds)] = {0};
    ssize_t sent;

    if (message->length > HEEL_MESSAGE_PAYLOAD_MAX || count > HEEL_MESSAGE_FDS_MAX) {
        errno = EMSGSIZE;
        return -1;
    }
    memcpy(fds, message->fds, count * sizeof *fds);
    if (message->length > HEEL_MESSAGE_INLINE_MAX) {
        memfd = memfd_with(message->payload, message->length);
        if (memfd < 0)
            return -1;
        fds[count++] = memfd;
        header.in_memfd = 1;
        packet.msg_iovlen = 1;
    }
    attach_fds(&packet, control, fds, count);
    do
        sent = sendmsg(socket, &packet, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

static void take_fds(struct msghdr *packet, int *fds, size_t *count)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(packet); part; part = CMSG_NXTHDR(packet, part)) {
        size_t bytes = part->cmsg_len - CMSG_LEN(0);

        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        memcpy(fds + *count, CMSG_DATA(part), bytes);
        *count += bytes / sizeof *fds;
    }
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static int refuse(int why)
{
    errno = why;
    return -1;
}

/* The seals are what makes it safe to read: without them the sender could shrink or change it under
 * us. */
static int read_memfd(int memfd, size_t length, struct heel_message *message)
{
    heel_autofree char *data = NULL;
    struct stat status;

    if (length > HEEL_MESSAGE_PAYLOAD_MAX || (fcntl(memfd, F_GET_SEALS) & SEALS) != SEALS ||
        fstat(memfd, &status) || status.st_size != (off_t)length)
        return refuse(EPROTO);
    data = heel_xmalloc(length);
    for (size_t at = 0; at < length;) {
        ssize_t got = pread(memfd, data + at, length - at, (off_t)at);

        if (got <= 0)
            return refuse(EPROTO);
        at += (size_t)got;
    }
    message->payload = message->storage = heel_steal(data);
    message->length = length;
    return 0;
}

static int take_payload(const struct header *header, const char *inlined, size_t got,
                        struct heel_message *message)
{
    if (header->in_memfd) {
        heel_autoclose int memfd = message->fd_count > 0 ? message->fds[--message->fd_count] : -1;

        return memfd >= 0 && got == 0 ? read_memfd(memfd, header->length, message) : refuse(EPROTO);
    }
    if (header->length != got || message->fd_count > HEEL_MESSAGE_FDS_MAX)
        return refuse(EPROTO);
    message->storage = heel_xmalloc(got);
    memcpy(message->storage, inlined, got);
    message->payload = message->storage;
    message->length = got;
    return 0;
}

/* Descriptors that found no room in this process are gone, and a payload that was in one: the
 * message arrives without. */
static int take_packet(const struct msghdr *packet, const struct header *header,
                       const char *inlined, size_t got, struct heel_message *message)
{
    if ((packet->msg_flags & MSG_TRUNC) || got < sizeof *header)
        return refuse(EPROTO);
    message->type = header->type;
    message->id = header->id;
    if (packet->msg_flags & MSG_CTRUNC) {
        close_all(message->fds, message->fd_count);
        message->fd_count = 0;
        if (header->in_memfd)
            return 0;
    }
    return take_payload(header, inlined, got - sizeof *header, message);
}

int heel_message_receive(int socket, struct heel_message *message)
{
    static char inlined[HEEL_MESSAGE_INLINE_MAX]; /* one thread of a process reads messages */
    struct heel_message received = {0};
    struct header header;
    struct iovec parts[2] = {{&header, sizeof header}, {inlined, sizeof inlined}};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof received.fds)];
    struct msghdr packet = {.msg_iov = parts,
                            .msg_iovlen = 2,
                            .msg_control = control,
                            /* Not `sizeof`: the kernel fills padding with descriptors, too. */
                            .msg_controllen = CMSG_LEN(sizeof received.fds)};
    ssize_t got;

    do
        got = recvmsg(socket, &packet, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == ECONNRESET ? 0 : -1;
    take_fds(&packet, received.fds, &received.fd_count);
    if (got == 0) { /* the end, or an empty packet, which may have brought descriptors */
        heel_message_clear(&received);
        return 0;
    }
    if (take_packet(&packet, &header, inlined, (size_t)got, &received)) {
        heel_message_clear(&received);
        return refuse(EPROTO);
    }
    *message = received;
    return 1;
}

void heel_message_clear(struct heel_message *message)
{
    close_all(message->fds, message->fd_count);
    free(message->storage);
    *message = (struct heel_message){0};
}

int heel_message_take_fd(struct heel_message *message, size_t index)
{
    return index < message->fd_count ? heel_steal_fd(&message->fds[index]) : -1;
}
