/* How much memory a sandbox uses, without a cgroup that would count it: what its processes have of
 * their own, by what each of them has a share in, and the memory that belongs to no process: files
 * in memory, System V segments, and what lies in its tmpfs. 512 MB in a memfd are 225 kB of its
 * writer's. */
#ifndef HEEL_BACKENDS_LINUX_LIMITS_MEMORY_USE_H
#define HEEL_BACKENDS_LINUX_LIMITS_MEMORY_USE_H

#include <stdint.h>

#include "backends/linux/limits/census.h"

struct heel_memory_use {
    uint64_t bytes;
    uint64_t lasting; /* of them: what stays when every process is gone */
};

/* What an exact look found, from which later ones start. Zero-initialised: nothing yet. */
struct heel_memory_watch {
    uint64_t host_seen;   /* of the whole host, at the last look */
    uint64_t came;        /* to the whole host's, from look to look */
    uint64_t shared;      /* of the sandbox, then */
    uint64_t host_shared; /* of the whole host, then */
    unsigned since;       /* bounds taken since */
};

/* At most so much it is; cheap. What others of the host give back at the same moment hides as much
 * of what the sandbox takes, for no more than ten looks. */
uint64_t heel_memory_bound(const struct heel_census *census, struct heel_memory_watch *watch);

/* So much it is: some 50 microseconds a process. */
void heel_memory_measure(const struct heel_vantage *vantage, const struct heel_census *census,
                         struct heel_memory_watch *watch, struct heel_memory_use *use);

#endif
