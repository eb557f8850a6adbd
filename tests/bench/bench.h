/* What every measurement works with. */
#ifndef HEEL_TESTS_BENCH_BENCH_H
#define HEEL_TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "tests/bench/client.h"
#include "tests/bench/contest.h"
#include "tests/bench/daemon.h"
#include "tests/bench/report.h"

#define BENCH_MAX_TARGETS 8

struct bench;

/* One file each, named measure_NAME.c. `run` adds a result for each target, in any order; a target
 * that can't be measured here is skipped with the reason. It returns -1 and *err where the
 * measurement itself failed, never because a target was missed. */
struct measurement {
    const char *name;
    struct target targets[BENCH_MAX_TARGETS]; /* `what` is NULL after the last */
    int (*run)(struct bench *bench, const struct measurement *self, struct heel_error **err);
};

struct bench {
    const char *heeld;     /* path of the server */
    const char *heelcli;   /* path of the command-line client */
    const char *chore;     /* path of the program that times what programs do; NULL: not given */
    const char *bwrap;     /* path, NULL where it is not installed */
    bool quick;            /* fewer of everything: to see that it works, not to rely on */
    char *folder;          /* owned; ours alone */
    struct daemon *daemon; /* owned; shared by the measurements that need just any server */
    struct report *report; /* owned */
};

/* The shared server; starts it when it is first asked for. */
struct daemon *bench_daemon(struct bench *bench, struct heel_error **err);

/* A connection to it. */
struct grpcc_channel *bench_connect(struct bench *bench, struct heel_error **err);

/* A server of the caller's own, in a folder called `name`. */
struct daemon *bench_start_daemon(struct bench *bench, const char *name, struct heel_error **err);

/* `full`, or `quick` if it is to be quick. */
size_t bench_count(const struct bench *bench, size_t full, size_t quick);

/* A result that is the median of `own` over that of `base`, in milliseconds; sorts both. */
void bench_add_ratio(struct bench *bench, const struct measurement *self, size_t target,
                     struct contestant *own, struct contestant *base);

/* A result that is how fast `bytes` went in each run of `own`, in MB/s, beside those of `base`;
 * sorts both. */
void bench_add_speed(struct bench *bench, const struct measurement *self, size_t target,
                     struct contestant *own, struct contestant *base, uint64_t bytes);

/* A result that is a value alone. */
void bench_add_value(struct bench *bench, const struct measurement *self, size_t target,
                     double value, char *note);

/* A result that is the median of `own`, in the target's unit. */
void bench_add_median(struct bench *bench, const struct measurement *self, size_t target,
                      struct samples *own);

/* The command that a sandbox is compared with: bubblewrap with every namespace, running /bin/true.
 * A contestant's `once`, with the bench as its data. */
int bench_run_bwrap(void *bench, struct heel_error **err);

/* What bytes through heel are compared with: head -c BYTES /dev/zero, read from a pipe. */
int bench_read_pipe(uint64_t bytes, struct heel_error **err);

/* The error that other than `expected` bytes came. Returns -1. */
int bench_bytes_missing(uint64_t got, uint64_t expected, struct heel_error **err);

extern const struct measurement measure_run;
extern const struct measurement measure_create;
extern const struct measurement measure_cli;
extern const struct measurement measure_strict;
extern const struct measurement measure_default;
extern const struct measurement measure_rules;
extern const struct measurement measure_stdout;
extern const struct measurement measure_stdin;
extern const struct measurement measure_streams;
extern const struct measurement measure_fair;
extern const struct measurement measure_replay;
extern const struct measurement measure_terminal;
extern const struct measurement measure_signal;
extern const struct measurement measure_stall;
extern const struct measurement measure_idle;
extern const struct measurement measure_many;
extern const struct measurement measure_attached;
extern const struct measurement measure_storm;

#endif
