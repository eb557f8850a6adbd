#include "server/output.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TERMINAL_PENDING_MAX ((size_t)1 << 20) /* more than a terminal can hold */

void output_open_later(struct output *output, uv_loop_t *loop, void (*on_readable)(void *data),
                       void *data)
{
    *output = (struct output){.loop = loop, .fd = -1, .on_readable = on_readable, .data = data};
}

static void watch(struct output *output, int fd)
{
    output->fd = fd;
    if (uv_poll_init(output->loop, &output->poll, fd) != 0)
        abort(); /* pipes and terminals can always be polled */
    output->poll.data = output;
    output->watched = true;
}

void output_open(struct output *output, uv_loop_t *loop, int fd, void (*on_readable)(void *data),
                 void *data)
{
    output_open_later(output, loop, on_readable, data);
    output->ended = fd < 0;
    if (fd >= 0)
        watch(output, fd);
}

void output_open_terminal(struct output *output, int fd)
{
    output->terminal = true;
    watch(output, fd);
    if (output->wanted)
        output_wait(output);
}

ssize_t output_read(struct output *output, void *buffer, size_t size)
{
    ssize_t got;

    if (output->final && size > output->final_left)
        size = output->final_left;
    if (output->ended || (output->final && size == 0)) {
        output->ended = true;
        return 0;
    }
    if (output->fd < 0)
        return -1;
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
    output->wanted = true;
    if (output->watched && !output->ended)
        uv_poll_start(&output->poll, UV_READABLE, on_poll);
}

void output_command_over(struct output *output)
{
    int pending = 0;

    if (output->ended)
        return;
    output->final = true;
    /* FIONREAD leaves out what is still on its way through the terminal, which a read waits for. */
    if (output->terminal)
        output->final_left = TERMINAL_PENDING_MAX;
    else if (ioctl(output->fd, FIONREAD, &pending) == 0 && pending > 0)
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
