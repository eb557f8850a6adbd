/* One command through Exec, on a polled queue. */
#ifndef HEEL_TESTS_BENCH_EXEC_STREAM_H
#define HEEL_TESTS_BENCH_EXEC_STREAM_H

#include "tests/bench/client.h"

struct exec_stream;

/* Starts argv, of `count` entries, in the sandbox `id`; the program is found in its PATH.
 * `stdin_bytes` zeroes are written to its standard input, then that is closed. Never NULL. */
struct exec_stream *exec_stream_open(struct grpcc_channel *channel, const char *id,
                                     const char *const *argv, size_t count, uint64_t stdin_bytes);

/* Reads on until `bytes` of standard output have come; UINT64_MAX: until the command is over, and
 * its exit status was 0. */
int exec_stream_read(struct exec_stream *stream, uint64_t bytes, struct heel_error **err);

/* Bytes of standard output so far. */
uint64_t exec_stream_received(const struct exec_stream *stream);

/* Cancels it if it is not over. NULL is fine. */
void exec_stream_free(struct exec_stream *stream);

HEEL_DEFINE_AUTOFREE(exec_stream, struct exec_stream, exec_stream_free);
#define autoexec HEEL_AUTOFREE(exec_stream)

#endif
