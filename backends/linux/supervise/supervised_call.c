#include "backends/linux/supervise/supervised_call.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"

#define PIDFD_OF_THREAD O_EXCL /* PIDFD_THREAD, Linux 6.9 */
#define STATUS_SIZE 4096

bool heel_supervised_pending(int listener, bool *gone)
{
    struct pollfd event = {listener, POLLIN, 0};

    poll(&event, 1, 0);
    *gone = (event.revents & (POLLHUP | POLLERR)) != 0;
    return (event.revents & POLLIN) != 0;
}

int heel_supervised_receive(int listener, struct heel_supervised_call *call)
{
    /* The kernel writes as much as its own struct has, and wants it to be zero before. */
    union {
        struct seccomp_notif notification;
        char room[512];
    } received = {.room = {0}};
    const struct seccomp_notif *notification = &received.notification;

    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &received))
        return -1;
    *call = (struct heel_supervised_call){
        .id = notification->id,
        .thread = (pid_t)notification->pid,
        .fd = (int)notification->data.args[0],
        .address = notification->data.args[1],
        .length = (int)notification->data.args[2],
    };
    return 0;
}

bool heel_supervised_waiting(int listener, uint64_t id)
{
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

void heel_supervised_answer(int listener, uint64_t id, int error)
{
    struct seccomp_notif_resp answer = {.id = id, .error = -error};

    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

static void path_of(pid_t thread, const char *file, char path[64])
{
    snprintf(path, 64, "/proc/%d/%s", (int)thread, file);
}

/* The number after "\nname:" in the thread's status, the last one of that line; 0 if it has none.
 */
static pid_t status_number(pid_t thread, const char *name)
{
    char path[64], text[STATUS_SIZE];
    heel_autoclose int fd = -1;
    const char *line;
    ssize_t length;
    int number = 0;

    path_of(thread, "status", path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    line = strstr(text, name);
    for (line = line ? line + strlen(name) : ""; *line && *line != '\n';) {
        char *end;

        number = (int)strtol(line, &end, 10);
        line = end + strspn(end, " \t");
        if (end == line && *line != '\n')
            break;
    }
    return number;
}

/* A thread can have a descriptor table of its own (CLONE_FILES). Before Linux 6.9 there are no
 * pidfds of threads: the process's table is used then. At worst the connect is made on another
 * socket of the same program. */
static int open_pidfd(const struct heel_supervised_call *call)
{
    int pidfd = (int)syscall(SYS_pidfd_open, call->thread, PIDFD_OF_THREAD);

    if (pidfd < 0 && errno == EINVAL)
        pidfd = (int)syscall(SYS_pidfd_open, status_number(call->thread, "\nTgid:"), 0);
    return pidfd;
}

/* What the caller gets when heeld could not fetch its socket, or may not. */
static int error_for_caller(int error)
{
    switch (error) {
    case EBADF:
        return EBADF;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return EAGAIN;
    default:
        return EACCES;
    }
}

int heel_supervised_fetch_socket(const struct heel_supervised_call *call, int *socket)
{
    heel_autoclose int pidfd = open_pidfd(call);
    int got;

    if (pidfd < 0)
        return error_for_caller(errno);
    got = (int)syscall(SYS_pidfd_getfd, pidfd, call->fd, 0);
    if (got < 0)
        return error_for_caller(errno);
    *socket = got;
    return 0;
}

int heel_supervised_open_memory(const struct heel_supervised_call *call)
{
    char path[64];

    path_of(call->thread, "mem", path);
    return open(path, O_RDONLY | O_CLOEXEC);
}

int heel_supervised_open_directory(const struct heel_supervised_call *call)
{
    char path[64];

    path_of(call->thread, "cwd", path);
    return open(path, O_PATH | O_CLOEXEC);
}

pid_t heel_supervised_pid(const struct heel_supervised_call *call)
{
    return heel_pid_inside(call->thread);
}

pid_t heel_pid_inside(pid_t thread)
{
    return status_number(thread, "\nNStgid:");
}

char *heel_supervised_program(const struct heel_supervised_call *call)
{
    char path[64], target[PATH_MAX];
    struct heel_buffer text = {0};
    ssize_t length;

    path_of(call->thread, "exe", path);
    length = readlink(path, target, sizeof target);
    if (length > 0)
        heel_buffer_append_escaped(&text, target, (size_t)length);
    return text.data ? text.data : heel_xstrdup("");
}
