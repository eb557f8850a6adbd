/* Signs a message with another process's, user's or group's number. */
#include "tests/confinement/probes/probe.h"

#include <sys/socket.h>

static void send_as(const char *way, pid_t pid, uid_t uid, gid_t gid)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(struct ucred))];
    } control = {.header = {CMSG_LEN(sizeof(struct ucred)), SOL_SOCKET, SCM_CREDENTIALS}};
    struct ucred claimed = {pid, uid, gid};
    struct iovec data = {"x", 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    int pair[2];

    memcpy(CMSG_DATA(&control.header), &claimed, sizeof claimed);
    probe_call(way,
               socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ? -1 : sendmsg(pair[1], &message, 0));
}

int main(void)
{
    send_as("another pid", probe_number("TARGET_PID"), geteuid(), getegid());
    send_as("another uid", getpid(), geteuid() + 1, getegid());
    send_as("another gid", getpid(), geteuid(), getegid() + 1);
    return probe_end();
}
