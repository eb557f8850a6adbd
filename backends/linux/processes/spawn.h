/* Starting a command at the price of a posix_spawn. */
#ifndef HEEL_BACKENDS_LINUX_PROCESSES_SPAWN_H
#define HEEL_BACKENDS_LINUX_PROCESSES_SPAWN_H

#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "backends/backend.h"

/* A limit of the kernel's for a command and its descendants, soft and hard. */
struct heel_spawn_limit {
    int resource; /* RLIMIT_* */
    rlim_t value;
};

#define HEEL_SPAWN_LIMITS_MAX 3

/* What a command gets, and what it inherits, beyond what init has itself. */
struct heel_spawn_limits {
    struct heel_spawn_limit items[HEEL_SPAWN_LIMITS_MAX];
    size_t count;
    int group;         /* borrowed; the door of a cgroup, see cgroup.h; -1: it stays in init's */
    size_t processors; /* it starts on this many of those that init may use; 0: on all */
};

struct heel_spawn {
    const char *const *argv; /* borrowed, as all of it */
    const char *const
        *environment; /* its PATH is where argv[0] is looked for, if that has no slash */
    const char *working_dir;
    int stdio[3];  /* none of them 0, 1 or 2 */
    bool terminal; /* they are a terminal, which becomes the controlling one */
    uint64_t tag;
    const struct heel_spawn_limits *limits; /* borrowed; NULL: init's own */
    bool for_parent; /* it becomes the child of the caller's parent, which reaps it then, also where
                        it could not be started; and dies with that */
};

struct heel_spawn_failure {
    enum heel_start_failure kind;
    int why; /* errno */
};

/* Starts it as the leader of a session and process group of its own, with default signals, and no
 * descriptor but its three. Its pid, or -1 and *failure. The caller has one thread. */
pid_t heel_spawn(const struct heel_spawn *spawn, struct heel_spawn_failure *failure);

#endif
