/* The writing end of a command's standard input: bytes wait here until its pipe takes them. */
#ifndef HEEL_SERVER_INPUT_H
#define HEEL_SERVER_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/text.h"

struct input {
    int fd; /* owned; -1 once closed */
    uv_poll_t poll;
    bool watched; /* the poll handle exists */
    bool close_when_empty;
    struct heel_buffer waiting; /* what the pipe hasn't taken; `sent` bytes of it are gone */
    size_t sent;
    uint64_t taken; /* bytes written to the pipe, or dropped since nobody reads it */
    void (*on_progress)(void *data); /* `taken` grew */
    void *data;
};

/* Takes the descriptor over. -1 makes one that drops everything. */
void input_open(struct input *input, uv_loop_t *loop, int fd, void (*on_progress)(void *data),
                void *data);

/* Copies what the pipe doesn't take at once. Nothing is refused: who calls looks at input_waiting()
 * first. */
void input_write(struct input *input, const void *bytes, size_t length);

/* Bytes that wait. */
size_t input_waiting(const struct input *input);

/* End of file for the command, after what waits. */
void input_finish(struct input *input);

/* Drops what waits and closes; as output_close. */
bool input_close(struct input *input, uv_close_cb on_closed);

#endif
