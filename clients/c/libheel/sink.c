#include "clients/c/libheel/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct sink sink_new(int fd)
{
    struct sink sink = {.fd = fd, .out = fd, .kind = SINK_UNKNOWN};

    return sink;
}

/* O_NONBLOCK belongs to the open file, which the shell and others may share: setting it on theirs
 * would break them. Opening it once more through /proc makes one of our own. */
static void open_again(struct sink *sink)
{
    char path[64];
    int again;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", sink->fd);
    again = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    sink->kind = again < 0 ? SINK_SHARED : SINK_PRIVATE;
    if (again >= 0)
        sink->out = again;
}

static void look(struct sink *sink)
{
    struct stat status;

    if (fstat(sink->fd, &status) || S_ISREG(status.st_mode) || S_ISBLK(status.st_mode))
        sink->kind = SINK_PATIENT;
    else if (S_ISSOCK(status.st_mode))
        sink->kind = SINK_SOCKET;
    else
        open_again(sink);
}

static ssize_t try_write(const struct sink *sink, const void *bytes, size_t length)
{
    struct pollfd writable = {.fd = sink->out, .events = POLLOUT};

    switch (sink->kind) {
    case SINK_SOCKET:
        return send(sink->out, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    case SINK_SHARED:
        if (poll(&writable, 1, 0) == 0) {
            errno = EAGAIN;
            return -1;
        }
        return write(sink->out, bytes, length < PIPE_BUF ? length : PIPE_BUF);
    default:
        return write(sink->out, bytes, length);
    }
}

long sink_write(struct sink *sink, const void *bytes, size_t length)
{
    size_t done = 0;

    if (sink->kind == SINK_UNKNOWN)
        look(sink);
    while (done < length) {
        ssize_t written = try_write(sink, (const char *)bytes + done, length - done);

        if (written >= 0)
            done += (size_t)written;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            break;
        else if (errno != EINTR)
            return -1;
    }
    return (long)done;
}

void sink_close(struct sink *sink)
{
    if (sink->out != sink->fd)
        close(sink->out);
    *sink = sink_new(sink->fd);
}
