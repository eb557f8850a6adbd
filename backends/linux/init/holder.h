/* The holder of a sandbox without namespaces; see holder.c. */
#ifndef HEEL_BACKENDS_LINUX_INIT_HOLDER_H
#define HEEL_BACKENDS_LINUX_INIT_HOLDER_H

#include <sys/types.h>

#include "backends/linux/limits/quotas.h"
#include "backends/linux/processes/birth.h"

/* What it starts with. */
struct heel_holder_start {
    int control; /* heeld is at the other end; borrowed */
    uid_t uid;   /* whom it becomes, as root */
    gid_t gid;
    const struct heel_quotas *quotas; /* borrowed */
};

/* Forks one. 0, or -1 and *err. SIGTERM ends it with everything in its sandbox: it must not be
 * killed in another way. */
int heel_holder_bear(const struct heel_holder_start *start, struct heel_newborn *newborn,
                     struct heel_error **err);

#endif
