/* Stopping everything in a sandbox, from its init.
 *
 * With SIGSTOP, where nothing better is to be had: parents are told, debuggers see it, and whoever
 * stood still already must be known apart. */
#ifndef HEEL_BACKENDS_LINUX_PROCESSES_PAUSE_H
#define HEEL_BACKENDS_LINUX_PROCESSES_PAUSE_H

#include <stdbool.h>
#include <sys/types.h>

#include "backends/backend.h"
#include "backends/linux/processes/descendants.h"
#include "base/error.h"

/* Zeroed, but for what stands last, is running. */
struct heel_pause {
    enum heel_pause_mechanism mechanism; /* FREEZER: it is heeld that stops them, and not here */
    struct heel_pids stopped; /* SIGNALS: those that stood still by themselves, and will again */
    bool shared;   /* the pid namespace is the host's: only the caller's descendants count */
    pid_t nursery; /* of them, which goes on; 0: none */
};

/* Stops every process of this pid namespace but its init, the caller (or, shared, all that descends
 * from the caller, but the nursery), and returns when none runs; or lets them go on (NONE), but for
 * those that had stopped before. With FREEZER all it does is to remember. `proc` is its /proc. 0;
 * or -1 and *err, and all go on. */
int heel_pause_set(struct heel_pause *pause, int proc, enum heel_pause_mechanism mechanism,
                   struct heel_error **err);

/* Sets the error of a sandbox that doesn't stand still in time, and returns -1. */
int heel_pause_set_timed_out(struct heel_error **err);

/* Paused by signals these are sent SIGSTOP, or SIGCONT, as the last thing before they go on: they
 * stay, or don't. */
void heel_pause_keep(struct heel_pause *pause, const struct heel_pids *pids);
void heel_pause_let_go(struct heel_pause *pause, const struct heel_pids *pids);

/* Stops all for a moment, so that nobody forks, and runs `act`. False where that could not be done;
 * then `act` was not run. The sandbox isn't paused. */
bool heel_pause_briefly(const struct heel_pause *pause, int proc,
                        void (*act)(struct heel_pause *brief, void *data), void *data);

/* Appends those of a process group that this one holds. */
void heel_pause_list_group(const struct heel_pause *pause, int proc, pid_t group,
                           struct heel_pids *pids);

#endif
