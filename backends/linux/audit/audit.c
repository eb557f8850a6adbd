#include "backends/linux/audit/audit.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

#define ANSWER_MS 1000
#define RECORD_MAX (16 * 1024) /* bytes; the kernel's are shorter than 9,000 */

/* The kernel's own of an answer or record: other processes may send to a netlink socket, too. */
static ssize_t receive(int fd, char *to, size_t size)
{
    struct sockaddr_nl from = {0};
    socklen_t length = sizeof from;
    ssize_t got = recvfrom(fd, to, size, 0, (struct sockaddr *)&from, &length);

    if (got >= 0 && (length != sizeof from || from.nl_pid != 0)) {
        errno = EPROTO;
        return -1;
    }
    return got;
}

/* The next message's type; 0 where it is too short to have one, -1 with errno. */
static int receive_answer(int fd, void *body, size_t size)
{
    union {
        struct nlmsghdr header;
        char room[NLMSG_HDRLEN + 1024];
    } answer = {.room = {0}};
    struct pollfd event = {fd, POLLIN, 0};
    ssize_t got;

    if (poll(&event, 1, ANSWER_MS) != 1) {
        errno = ETIMEDOUT;
        return -1;
    }
    got = receive(fd, answer.room, sizeof answer.room);
    if (got < NLMSG_HDRLEN)
        return got < 0 ? -1 : 0;
    memcpy(body, NLMSG_DATA(&answer.header), size);
    return answer.header.nlmsg_type;
}

/* 0 where the kernel audits; -1 with errno. */
static int check_enabled(int fd)
{
    struct nlmsghdr request = {
        .nlmsg_len = sizeof request, .nlmsg_type = AUDIT_GET, .nlmsg_flags = NLM_F_REQUEST};
    union {
        struct audit_status status;
        struct nlmsgerr failure;
    } answer;
    int type;

    if (send(fd, &request, sizeof request, 0) != (ssize_t)sizeof request)
        return -1;
    type = receive_answer(fd, &answer, sizeof answer);
    if (type == AUDIT_GET && answer.status.enabled)
        return 0;
    if (type >= 0)
        errno = type == AUDIT_GET                                 ? ENODATA
                : type == NLMSG_ERROR && answer.failure.error < 0 ? -answer.failure.error
                                                                  : EPROTO;
    return -1;
}

int heel_audit_open(void)
{
    heel_autoclose int fd =
        socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT);
    int group = AUDIT_NLGRP_READLOG;

    if (fd < 0 || check_enabled(fd) ||
        setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group))
        return -1;
    return heel_steal_fd(&fd);
}

enum heel_audit_receipt heel_audit_receive(int fd, struct heel_audit_record *record)
{
    union {
        struct nlmsghdr header;
        char room[RECORD_MAX + 1];
    } message;
    ssize_t got = receive(fd, message.room, RECORD_MAX);
    char *text = NLMSG_DATA(&message.header);

    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return HEEL_AUDIT_NONE;
    if (got < NLMSG_HDRLEN)
        return HEEL_AUDIT_OTHER; /* ENOBUFS: more came than was read */
    /* The header's length is no guide: some kernels leave the header out of it. */
    message.room[got] = '\0';
    return heel_audit_record_parse(message.header.nlmsg_type, text, record) ? HEEL_AUDIT_OTHER
                                                                            : HEEL_AUDIT_RECORD;
}
