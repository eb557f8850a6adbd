/* The reading end of a command's standard output or error. It is read only when somebody asks: a
 * pipe that nobody reads fills up and makes the command wait, and that is the back-pressure. */
#ifndef HEEL_SERVER_OUTPUT_H
#define HEEL_SERVER_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

struct output {
    int fd; /* owned; -1 once closed */
    uv_poll_t poll;
    bool watched;      /* the poll handle exists */
    bool ended;        /* nothing more will come */
    bool final;        /* the command is over: only what the pipe held then still counts */
    size_t final_left; /* bytes of that */
    uint64_t offset;   /* bytes read so far */
    void (*on_readable)(void *data);
    void *data;
};

/* Takes the descriptor over. -1 makes one that has ended. */
void output_open(struct output *output, uv_loop_t *loop, int fd, void (*on_readable)(void *data),
                 void *data);

/* Up to `size` bytes into `buffer`: how many, 0 if nothing more will come, -1 if there is nothing
 * now. Never blocks. */
ssize_t output_read(struct output *output, void *buffer, size_t size);

/* Has on_readable run once, as soon as output_read has something to say. */
void output_wait(struct output *output);

/* The command is over. Processes that it left behind may hold the pipe open and write on: what was
 * in the pipe by now is the command's, the rest is not. */
void output_command_over(struct output *output);

/* Closes the descriptor and the handle; `on_closed` is run for the handle if there is one. Returns
 * whether it will be. */
bool output_close(struct output *output, uv_close_cb on_closed);

#endif
