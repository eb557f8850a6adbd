/* Who runs in a sandbox, and what processor time it has taken: seen from outside, by the sandbox's
 * own /proc. Everything here is cheap enough for some hundred times a second. */
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
    bool living;         /* false: only to be waited for */
};

/* Zero-initialised is empty. */
struct heel_census {
    struct heel_census_process *processes; /* owned; by pid, init not among them */
    size_t count;
    size_t capacity;
    size_t living;    /* of them */
    uint64_t gone_ns; /* processor time of those that were seen once and are gone */
};

/* Counts again. 0, or -1 with errno: the sandbox is gone. */
int heel_census_take(const struct heel_vantage *vantage, struct heel_census *census);
void heel_census_clear(struct heel_census *census);

/* Whether any of those counted has run since, or may have: only who runs can start processes or
 * take memory. A third of a microsecond a process. */
bool heel_census_stale(const struct heel_census *census);

/* Processor time of everything that ever ran in the sandbox, in microseconds: the larger of two
 * sums, each of which misses something. What was waited for shows in who waited (and in init in the
 * end); what nobody waits for was perhaps seen alive. */
uint64_t heel_census_cpu_us(const struct heel_vantage *vantage, const struct heel_census *census);

#endif
