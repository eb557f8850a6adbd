/* How much memory a sandbox uses, measured where no cgroup counts it: the anonymous memory of its
 * processes (PSS), and the memory that no process's PSS shows: memfds, System V segments and the
 * files in its tmpfs. (512 MB in a memfd show as 225 kB of PSS in its writer.) */
#ifndef HEEL_BACKENDS_LINUX_LIMITS_MEMORY_USE_H
#define HEEL_BACKENDS_LINUX_LIMITS_MEMORY_USE_H

#include <stdint.h>

#include "backends/linux/limits/census.h"

struct heel_memory_use {
    uint64_t bytes;
    uint64_t lasting; /* of `bytes`: what stays when every process is gone */
};

/* What the last exact measurement found; cheap bounds start from it. Zero-initialised: none yet. */
struct heel_memory_watch {
    uint64_t host_seen;   /* shared memory of the whole host, at the last look */
    uint64_t came;        /* sum of the growths of host_seen from look to look */
    uint64_t shared;      /* the sandbox's, at the last measurement */
    uint64_t host_shared; /* the whole host's, at the last measurement */
    unsigned since;       /* bounds taken since the last measurement */
};

/* An upper bound, for two system calls. Where *is_sure is false it can be too low: shared memory
 * that others on the host free at the same moment hides as much that the sandbox takes. That is so
 * for at most ten calls after a measurement. */
uint64_t heel_memory_bound(const struct heel_census *census, struct heel_memory_watch *watch,
                           bool *is_sure);

/* The exact amount: takes some 50 microseconds a process. */
void heel_memory_measure(const struct heel_vantage *vantage, const struct heel_census *census,
                         struct heel_memory_watch *watch, struct heel_memory_use *use);

#endif
