#include "server/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static void watch(struct input *input, int fd)
{
    input->fd = fd;
    if (uv_poll_init(input->loop, &input->poll, fd) != 0)
        abort(); /* pipes and terminals can always be polled */
    input->poll.data = input;
    input->watched = true;
}

void input_open(struct input *input, uv_loop_t *loop, int fd, void (*on_progress)(void *data),
                void *data)
{
    *input = (struct input){.loop = loop, .fd = -1, .on_progress = on_progress, .data = data};
    if (fd >= 0)
        watch(input, fd);
}

void input_open_later(struct input *input, uv_loop_t *loop, void (*on_progress)(void *data),
                      void *data)
{
    input_open(input, loop, -1, on_progress, data);
    input->expected = true;
}

size_t input_waiting(const struct input *input)
{
    return input->waiting.length - input->sent;
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct input *input = handle->data;

    input->watched = false;
    if (input->on_closed)
        input->on_closed(handle);
}

/* The handle goes before its descriptor: libuv takes the number of what it stops or closes out of
 * the loop, and by then that may be another one's, who would wait for ever. */
static void close_pipe(struct input *input)
{
    if (input->watched && !uv_is_closing((uv_handle_t *)&input->poll))
        uv_close((uv_handle_t *)&input->poll, on_poll_closed);
    if (input->fd >= 0)
        close(input->fd);
    input->fd = -1;
    input->expected = false;
}

static void drop_waiting(struct input *input)
{
    input->taken += input_waiting(input);
    heel_buffer_free(&input->waiting);
    input->sent = 0;
}

/* A reader that never catches up must not make what it has taken stay. */
static void forget_sent(struct input *input)
{
    if (input->sent == 0 || input->sent < input_waiting(input))
        return;
    input->waiting.length -= input->sent;
    memmove(input->waiting.data, input->waiting.data + input->sent, input->waiting.length);
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
    if (input->expected)
        return;
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

static void push_or_wait(struct input *input)
{
    push(input);
    if (input->fd >= 0 && input_waiting(input) > 0)
        uv_poll_start(&input->poll, UV_WRITABLE, on_poll);
}

void input_write(struct input *input, const void *bytes, size_t length)
{
    if (length > 0)
        input->mid_line = ((const char *)bytes)[length - 1] != '\n';
    input->written += length;
    forget_sent(input);
    heel_buffer_append(&input->waiting, bytes, length);
    push_or_wait(input);
}

uint64_t input_taken(const struct input *input)
{
    return input->taken < input->written ? input->taken : input->written;
}

void input_open_terminal(struct input *input, int fd)
{
    input->terminal = true;
    input->expected = false;
    watch(input, fd);
    push_or_wait(input);
    if (input->finish_later)
        input_finish(input);
}

/* In the middle of a line the first one only ends the line. */
static void send_end_of_file(struct input *input)
{
    struct termios settings;
    char ends[2];

    if (tcgetattr(input->fd, &settings) || !(settings.c_lflag & ICANON))
        return;
    ends[0] = ends[1] = (char)settings.c_cc[VEOF];
    heel_buffer_append(&input->waiting, ends, input->mid_line ? 2 : 1);
    input->mid_line = false;
    push_or_wait(input);
}

void input_finish(struct input *input)
{
    if (input->expected) {
        input->finish_later = true;
        return;
    }
    if (input->terminal) {
        if (input->fd >= 0)
            send_end_of_file(input);
        return;
    }
    input->close_when_empty = true;
    if (input_waiting(input) == 0)
        close_pipe(input);
}

bool input_close(struct input *input, uv_close_cb on_closed)
{
    close_pipe(input);
    drop_waiting(input);
    input->on_closed = on_closed;
    return input->watched;
}
