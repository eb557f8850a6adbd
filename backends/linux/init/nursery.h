/* Where the commands of a sandbox without namespaces are born; see nursery.c. */
#ifndef HEEL_BACKENDS_LINUX_INIT_NURSERY_H
#define HEEL_BACKENDS_LINUX_INIT_NURSERY_H

#include "backends/linux/messages/protocol.h"
#include "backends/linux/processes/spawn.h"

struct heel_nursery {
    pid_t pid;
    int socket; /* owned */
};

/* What it is confined with; see confine.h. */
struct heel_nursery_rules {
    int landlock; /* owned; heel_landlock_prepare's */
    bool write_xor_execute;
    bool audited;
};

/* Forks one that is confined with `rules`, and waits until it is.
 * `interrupt` is a descriptor that becomes readable when nothing is worth waiting for any more:
 * then this ends the wait like a failure. 0, or -1 and *err. */
int heel_nursery_open(const struct heel_nursery_rules *rules, int interrupt,
                      struct heel_nursery *nursery, struct heel_error **err);

/* Has it start a command, as a child of this process. Its pid; or -1 and *failure,
 * ESRCH where there is no nursery any more, EINTR where the wait was interrupted. */
pid_t heel_nursery_start(const struct heel_nursery *nursery, int interrupt,
                         const struct heel_spawn *spawn, struct heel_spawn_failure *failure);

/* Its socket; it ends by that, where it lives. */
void heel_nursery_close(struct heel_nursery *nursery);

#endif
