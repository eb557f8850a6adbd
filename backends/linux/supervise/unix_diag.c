#include "backends/linux/supervise/unix_diag.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LISTENING (1U << 10) /* a set of TCP_LISTEN, which Unix sockets share */
#define BYTES 32768          /* what the kernel says at a time */

/* ---- the file. Not in the headers of Linux 6.1: */

#define CALL_STATMOUNT 457          /* 6.8 */
#define ASK_UNIQUE_MOUNT_ID 0x4000U /* STATX_MNT_ID_UNIQUE */
#define ASK_SUPERBLOCK 0x1U         /* STATMOUNT_SB_BASIC */
#define DEVICE_MINOR_BITS 20        /* of the kernel's dev_t */

struct mount_request {
    uint32_t size, spare;
    uint64_t id, wanted;
};

struct mount_answer {
    uint32_t size, options;
    uint64_t mask;
    uint32_t device_major, device_minor;
    char rest[512 - 24];
};

static uint32_t device_number(unsigned major, unsigned minor)
{
    return (uint32_t)major << DEVICE_MINOR_BITS | minor;
}

/* The superblock's device. Before Linux 6.8 stat's will have to do: then sockets on overlayfs and
 * btrfs aren't found, and can't be connected to. */
static int device_of(int fd, uint32_t *device)
{
    struct mount_request request = {.size = 24, .wanted = ASK_SUPERBLOCK};
    struct mount_answer answer;
    struct statx status;

    if (statx(fd, "", AT_EMPTY_PATH, ASK_UNIQUE_MOUNT_ID, &status))
        return -1;
    *device = device_number(status.stx_dev_major, status.stx_dev_minor);
    if (!(status.stx_mask & ASK_UNIQUE_MOUNT_ID))
        return 0;
    request.id = status.stx_mnt_id;
    if (syscall(CALL_STATMOUNT, &request, &answer, sizeof answer, 0) == 0 &&
        (answer.mask & ASK_SUPERBLOCK))
        *device = device_number(answer.device_major, answer.device_minor);
    return 0;
}

static int inode_of(int proc, int fd, uint64_t *inode)
{
    char path[32], text[512];
    heel_autoclose int info = -1;
    const char *line;
    ssize_t length;

    snprintf(path, sizeof path, "self/fdinfo/%d", fd);
    info = openat(proc, path, O_RDONLY | O_CLOEXEC);
    length = info < 0 ? -1 : read(info, text, sizeof text - 1);
    if (length < 0)
        return -1;
    text[length] = '\0';
    line = strstr(text, "\nino:");
    if (!line) {
        errno = EPROTO;
        return -1;
    }
    *inode = strtoull(line + strlen("\nino:"), NULL, 10);
    return 0;
}

int heel_socket_file_of(int proc, int fd, struct heel_socket_file *file)
{
    struct heel_socket_file got;

    if (device_of(fd, &got.device) || inode_of(proc, fd, &got.inode))
        return -1;
    *file = got;
    return 0;
}

/* ---- the sockets ---- */

static int ask(int diag)
{
    struct {
        struct nlmsghdr header;
        struct unix_diag_req wanted;
    } request = {
        .header = {.nlmsg_len = sizeof request,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .wanted = {.sdiag_family = AF_UNIX,
                   .udiag_states = LISTENING,
                   .udiag_show = UDIAG_SHOW_VFS},
    };

    return send(diag, &request, sizeof request, 0) == (ssize_t)sizeof request ? 0 : -1;
}

/* The list has the lower 32 bits of an inode's number. On a file system with larger ones another
 * file could have the same, so there nothing is found. */
static bool is_bound_to(const struct nlmsghdr *message, const struct heel_socket_file *file)
{
    const struct unix_diag_msg *socket = NLMSG_DATA(message);
    const char *end = (const char *)message + message->nlmsg_len;

    for (const struct nlattr *part = (const struct nlattr *)(socket + 1);
         (const char *)(part + 1) <= end && part->nla_len >= sizeof *part;
         part = (const struct nlattr *)((const char *)part + NLA_ALIGN(part->nla_len))) {
        const struct unix_diag_vfs *bound = (const struct unix_diag_vfs *)(part + 1);

        if (part->nla_type == UNIX_DIAG_VFS && part->nla_len >= sizeof *part + sizeof *bound)
            return bound->udiag_vfs_dev == file->device && bound->udiag_vfs_ino == file->inode;
    }
    return false;
}

/* One packet of the list. Whether another follows. */
static bool look_through(const char *packet, size_t length, const struct heel_socket_file *file,
                         bool *found)
{
    const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)packet;

    for (; NLMSG_OK(message, length); message = NLMSG_NEXT(message, length)) {
        if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY)
            return false;
        *found = *found || is_bound_to(message, file);
    }
    return true;
}

bool heel_unix_diag_bound(int diag, const struct heel_socket_file *file)
{
    _Alignas(struct nlmsghdr) char packet[BYTES];
    bool found = false;
    ssize_t got;

    if (file->inode > UINT32_MAX || ask(diag))
        return false;
    /* To its end, or the next question would find the rest. */
    do {
        got = recv(diag, packet, sizeof packet, 0);
        if (got <= 0)
            return false;
    } while (look_through(packet, (size_t)got, file, &found));
    return found;
}
