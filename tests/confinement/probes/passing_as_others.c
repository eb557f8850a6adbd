/* Passes for another process, user or program. */
#include "tests/confinement/probes/probe.h"

#include <sys/prctl.h>
#include <sys/socket.h>

#define SET_IO_FLUSHER 57

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

static void try_write(const char *way, const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);

    if (fd < 0 && errno == ENOENT)
        probe_absent(way, "this kernel has none");
    else
        probe_call(way, fd < 0 ? -1 : write(fd, text, strlen(text)));
    if (fd >= 0)
        close(fd);
}

int main(void)
{
    send_as("another pid", probe_number("TARGET_PID"), geteuid(), getegid());
    send_as("another uid", getpid(), geteuid() + 1, getegid());
    send_as("another gid", getpid(), geteuid(), getegid() + 1);
    probe_permission("another program", prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, -1, 0, 0));
    probe_permission("other memory", prctl(PR_SET_MM, PR_SET_MM_START_BRK, 1, 0, 0));
    probe_permission("a disk's helper", prctl(SET_IO_FLUSHER, 1, 0, 0, 0));
    try_write("a user map", "/proc/self/uid_map", "0 0 1");
    try_write("a group map", "/proc/self/gid_map", "0 0 1");
    try_write("a login", "/proc/self/loginuid", "0");
    return probe_end();
}
