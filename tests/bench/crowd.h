/* The same command through many streams of Exec at once, over one connection. */
#ifndef HEEL_TESTS_BENCH_CROWD_H
#define HEEL_TESTS_BENCH_CROWD_H

#include "tests/bench/exec_stream.h"

struct crowd;

/* Never NULL; nothing is read yet. */
struct crowd *crowd_open(struct grpcc_channel *channel, const struct exec_command *command,
                         size_t count);

/* Waits until each command was started. */
int crowd_start(struct crowd *crowd, struct heel_error **err);

/* Reads from all until `bytes` of standard output have come altogether; UINT64_MAX: until all are
 * over, and every exit status was 0. */
int crowd_read(struct crowd *crowd, uint64_t bytes, struct heel_error **err);

/* What the slowest stream has received, as a part of what the fastest has. */
double crowd_share_of_slowest(const struct crowd *crowd);

/* Cancels what is not over. NULL is fine. */
void crowd_free(struct crowd *crowd);

HEEL_DEFINE_AUTOFREE(crowd, struct crowd, crowd_free);
#define autocrowd HEEL_AUTOFREE(crowd)

#endif
