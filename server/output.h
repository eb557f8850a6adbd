/* The reading end of a command's standard output or error, or its terminal. It is read only when
 * somebody asks: a pipe that nobody reads fills up and makes the command wait, and that is the
 * back-pressure. */
#ifndef HEEL_SERVER_OUTPUT_H
#define HEEL_SERVER_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

struct output {
    uv_loop_t *loop; /* borrowed */
    int fd;          /* owned; -1 once closed, and before output_open_terminal */
    uv_poll_t poll;
    bool watched;      /* the poll handle exists */
    bool terminal;     /* it is one's master side */
    bool wanted;       /* output_wait was called */
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

/* For a command with a terminal: nothing can be read before output_open_terminal, or
 * output_command_over, was called. */
void output_open_later(struct output *output, uv_loop_t *loop, void (*on_readable)(void *data),
                       void *data);
/* Takes the master side over. An output_wait that came before holds. */
void output_open_terminal(struct output *output, int fd);

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
