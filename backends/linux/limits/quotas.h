/* What the kernel counts per user: no sandbox gets more than a share of it, so that one that takes
 * all it can leaves enough to heeld and to other sandboxes of the same user. */
#ifndef HEEL_BACKENDS_LINUX_LIMITS_QUOTAS_H
#define HEEL_BACKENDS_LINUX_LIMITS_QUOTAS_H

#include <stdbool.h>
#include <sys/resource.h>

/* The share of one sandbox. */
struct heel_quotas {
    rlim_t open_files;      /* of each process; limits descriptors in flight as well */
    rlim_t processes;       /* threads are counted too */
    rlim_t pending_signals; /* POSIX timers are counted too */
    rlim_t queue_bytes;     /* of POSIX message queues */
    long inotify_instances;
    long inotify_watches;
};

/* A share of what this process may have. */
void heel_quotas_read(struct heel_quotas *quotas);

/* Lowers the limits of this process, and of all that it starts, for good. They are counted per user
 * namespace and uid: they bound one sandbox where that has a user namespace. Open files are not
 * among them: that is for commands alone (limits.h). */
void heel_quotas_limit(const struct heel_quotas *quotas);

/* Sets what is counted for this process's user namespace, which must be its own and where it must
 * have all capabilities. Whether that could be done, or had been before. */
bool heel_quotas_limit_namespace(const struct heel_quotas *quotas);

#endif
