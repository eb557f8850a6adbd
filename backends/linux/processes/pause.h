/* Stopping everything in a sandbox, from its init. */
#ifndef HEEL_BACKENDS_LINUX_PROCESSES_PAUSE_H
#define HEEL_BACKENDS_LINUX_PROCESSES_PAUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct heel_pause {
    bool paused;
    pid_t *stopped; /* owned; those that stood still by themselves */
    size_t stopped_count;
    bool shared;   /* the pid namespace is the host's: only the caller's descendants count */
    pid_t nursery; /* of them, which goes on; 0: none */
};

/* Stops every process of this pid namespace but its init, the caller (or, shared,
 * that descends from the caller, but the nursery); returns when none runs.
 * `proc` is its /proc. 0; or -1 with errno, and all go on. */
int heel_pause_begin(struct heel_pause *pause, int proc);

/* Lets them go on, but for those that had stopped before. */
int heel_pause_end(struct heel_pause *pause, int proc);

#endif
