#include "server/output.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

void output_open(struct output *output, uv_loop_t *loop, int fd, void (*on_readable)(void *data),
                 void *data)
{
    *output = (struct output){.fd = fd, .ended = fd < 0, .on_readable = on_readable, .data = data};
    if (fd < 0)
        return;
    if (uv_poll_init(loop, &output->poll, fd) != 0)
        abort(); /* a pipe can always be polled */
    output->poll.data = output;
    output->watched = true;
}

ssize_t output_read(struct output *output, void *buffer, size_t size)
{
    ssize_t got;

    if (output->final && size > output->final_left)
        size = output->final_left;
    if (output->ended || size == 0) {
        output->ended = true;
        return 0;
    }
    do
        got = read(output->fd, buffer, size);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN && !output->final)
        return -1;
    if (got <= 0) {
        output->ended = true;
        return 0;
    }
    output->offset += (uint64_t)got;
    if (output->final)
        output->final_left -= (size_t)got;
    return got;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct output *output = poll->data;

    (void)status; /* an error shows in the read that follows */
    (void)events;
    uv_poll_stop(poll);
    output->on_readable(output->data);
}

void output_wait(struct output *output)
{
    if (output->watched && !output->ended)
        uv_poll_start(&output->poll, UV_READABLE, on_poll);
}

void output_command_over(struct output *output)
{
    int pending = 0;

    if (output->ended)
        return;
    output->final = true;
    if (ioctl(output->fd, FIONREAD, &pending) == 0 && pending > 0)
        output->final_left = (size_t)pending;
}

bool output_close(struct output *output, uv_close_cb on_closed)
{
    bool watched = output->watched;

    if (watched)
        uv_close((uv_handle_t *)&output->poll, on_closed);
    if (output->fd >= 0)
        close(output->fd);
    output->watched = false;
    output->fd = -1;
    output->ended = true;
    return watched;
}
