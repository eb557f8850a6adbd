/* The processes of a sandbox and the processor time that they took, read from outside in the
 * sandbox's own /proc. Everything here is cheap enough for some hundred times a second. */
#ifndef HEEL_BACKENDS_LINUX_LIMITS_CENSUS_H
#define HEEL_BACKENDS_LINUX_LIMITS_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "backends/linux/limits/vantage.h"

struct heel_census_process {
    pid_t pid;       /* in the sandbox */
    pid_t host;      /* in this process's pid namespace; 0: the kernel doesn't tell */
    uint64_t cpu_ns; /* its own so far */
    uint64_t
        anonymous_bytes; /* resident memory that is no file's and not shared, or by fork only */
    bool living;         /* false: a zombie */
};

/* Zero-initialised is empty. */
struct heel_census {
    struct heel_census_process *processes; /* owned; by pid, init not among them */
    size_t count;
    size_t capacity;
    size_t living;    /* how many of them are no zombies */
    uint64_t gone_ns; /* processor time of processes that an earlier census saw and that are gone */
};

/* Counts again. 0, or -1 with errno: the sandbox is gone. */
int heel_census_take(const struct heel_vantage *vantage, struct heel_census *census);
void heel_census_clear(struct heel_census *census);

/* Whether any of those counted has run since, or may have: only who runs can start processes or
 * take memory. A third of a microsecond a process. */
bool heel_census_stale(const struct heel_census *census);

/* Processor time of everything that ever ran in the sandbox, in microseconds: the larger of two
 * sums, each of which misses something. The kernel adds a process's time to the parent that waits
 * for it (in the end to init); a process that nobody waits for is counted if a census saw it alive.
 */
uint64_t heel_census_cpu_us(const struct heel_vantage *vantage, const struct heel_census *census);

#endif
