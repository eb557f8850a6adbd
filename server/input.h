/* The writing end of a command's standard input, or its terminal: bytes wait here until it takes
 * them. */
#ifndef HEEL_SERVER_INPUT_H
#define HEEL_SERVER_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/text.h"

struct input {
    uv_loop_t *loop; /* borrowed */
    int fd;          /* owned; -1 once closed, and before input_open_terminal */
    uv_poll_t poll;
    bool watched;      /* the poll handle exists, or is being closed */
    bool terminal;     /* it is one's master side */
    bool expected;     /* the terminal is still to come */
    bool mid_line;     /* the last byte was no newline */
    bool finish_later; /* once it has come */
    bool close_when_empty;
    struct heel_buffer waiting; /* what the pipe hasn't taken; `sent` bytes of it are gone */
    size_t sent;
    uint64_t written;      /* bytes of input_write */
    uint64_t taken;        /* bytes written to the pipe, or dropped since nobody reads it */
    uv_close_cb on_closed; /* of input_close */
    void (*on_progress)(void *data); /* `taken` grew */
    void *data;
};

/* Takes the descriptor over. -1 makes one that drops everything. */
void input_open(struct input *input, uv_loop_t *loop, int fd, void (*on_progress)(void *data),
                void *data);

/* For a command with a terminal: bytes wait for it. */
void input_open_later(struct input *input, uv_loop_t *loop, void (*on_progress)(void *data),
                      void *data);
/* Takes the master side over. */
void input_open_terminal(struct input *input, int fd);

/* Copies what the pipe doesn't take at once. It never refuses: the caller bounds the memory by
 * looking at input_waiting() first. */
void input_write(struct input *input, const void *bytes, size_t length);

/* How many bytes of input_write the command's pipe has taken, or were dropped since nobody reads
 * it. */
uint64_t input_taken(const struct input *input);

/* Bytes that wait. */
size_t input_waiting(const struct input *input);

/* End of file for the command, after what waits. On a terminal: its end-of-file character, where
 * that has a meaning (termios(3), ICANON and VEOF). */
void input_finish(struct input *input);

/* Drops what waits and closes; as output_close. */
bool input_close(struct input *input, uv_close_cb on_closed);

#endif
