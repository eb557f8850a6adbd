/* A command through Exec, on a polled queue: one by itself, or many that share a queue. */
#ifndef HEEL_TESTS_BENCH_EXEC_STREAM_H
#define HEEL_TESTS_BENCH_EXEC_STREAM_H

#include <stdbool.h>

#include "tests/bench/client.h"

struct exec_stream;

/* What to start; borrowed while it is opened. */
struct exec_command {
    const char *sandbox_id;
    const char *const *argv; /* of `count` entries; the program is found in its PATH */
    size_t count;
    uint64_t
        stdin_bytes; /* so many zeroes are written to its standard input, then that is closed */
    bool keep_stdin; /* it is never closed: for exec_stream_type(), or to be left alone */
    bool terminal;   /* else pipes */
};

/* `queue` is borrowed, and polled by whoever it belongs to; NULL gives the stream one of its own.
 * Never NULL. */
struct exec_stream *exec_stream_open(struct grpcc_channel *channel, struct grpcc_queue *queue,
                                     const struct exec_command *command);

/* Waits until the command was started. */
int exec_stream_start(struct exec_stream *stream, struct heel_error **err);

/* From now on messages are read, whenever the queue is polled, until `bytes` of standard output
 * have come altogether; UINT64_MAX: until the command is over. */
void exec_stream_want(struct exec_stream *stream, uint64_t bytes);

/* Whether that is so, or won't be. */
bool exec_stream_is_done(const struct exec_stream *stream);

/* -1 and *err if the stream or the command failed, or was over before it had given what was wanted.
 */
int exec_stream_check(struct exec_stream *stream, struct heel_error **err);

/* The three above, one after the other. */
int exec_stream_read(struct exec_stream *stream, uint64_t bytes, struct heel_error **err);

/* Writes to standard input, with keep_stdin, once what was written before has gone. */
void exec_stream_type(struct exec_stream *stream, const void *bytes, size_t length);

/* Bytes of standard output so far. */
uint64_t exec_stream_received(const struct exec_stream *stream);

/* What the server calls it; NULL before exec_stream_start(). */
const char *exec_stream_process_id(const struct exec_stream *stream);

/* Cancels it if it is not over. NULL is fine. */
void exec_stream_free(struct exec_stream *stream);

HEEL_DEFINE_AUTOFREE(exec_stream, struct exec_stream, exec_stream_free);
#define autoexec HEEL_AUTOFREE(exec_stream)

#endif
