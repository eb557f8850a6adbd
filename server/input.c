#include "server/input.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

void input_open(struct input *input, uv_loop_t *loop, int fd, void (*on_progress)(void *data),
                void *data)
{
    *input = (struct input){.fd = fd, .on_progress = on_progress, .data = data};
    if (fd < 0)
        return;
    if (uv_poll_init(loop, &input->poll, fd) != 0)
        abort(); /* a pipe can always be polled */
    input->poll.data = input;
    input->watched = true;
}

size_t input_waiting(const struct input *input)
{
    return input->waiting.length - input->sent;
}

/* The handle lives on until input_close, so that who owns both has one moment at which it goes. */
static void close_pipe(struct input *input)
{
    if (input->watched)
        uv_poll_stop(&input->poll);
    if (input->fd >= 0)
        close(input->fd);
    input->fd = -1;
}

static void drop_waiting(struct input *input)
{
    input->taken += input_waiting(input);
    heel_buffer_free(&input->waiting);
    input->sent = 0;
}

/* Writes until the pipe is full or nothing waits. */
static void push(struct input *input)
{
    while (input->fd >= 0 && input_waiting(input) > 0) {
        ssize_t sent = write(input->fd, input->waiting.data + input->sent, input_waiting(input));

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            return;
        if (sent < 0) { /* EPIPE: the command reads no more */
            close_pipe(input);
            break;
        }
        input->sent += (size_t)sent;
        input->taken += (size_t)sent;
    }
    if (input->fd < 0 || input_waiting(input) == 0)
        drop_waiting(input);
    if (input->close_when_empty)
        close_pipe(input);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct input *input = poll->data;

    (void)status; /* an error shows in the write that follows */
    (void)events;
    uv_poll_stop(poll);
    push(input);
    if (input_waiting(input) > 0)
        uv_poll_start(poll, UV_WRITABLE, on_poll);
    input->on_progress(input->data);
}

void input_write(struct input *input, const void *bytes, size_t length)
{
    heel_buffer_append(&input->waiting, bytes, length);
    push(input);
    if (input_waiting(input) > 0)
        uv_poll_start(&input->poll, UV_WRITABLE, on_poll);
}

void input_finish(struct input *input)
{
    input->close_when_empty = true;
    if (input_waiting(input) == 0)
        close_pipe(input);
}

bool input_close(struct input *input, uv_close_cb on_closed)
{
    bool watched = input->watched;

    close_pipe(input);
    drop_waiting(input);
    if (watched)
        uv_close((uv_handle_t *)&input->poll, on_closed);
    input->watched = false;
    return watched;
}
