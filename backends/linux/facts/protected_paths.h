/* The paths that heel protects on Linux, as data: what each group hides and why. Another system's
 * stand in its own backend. */
#ifndef HEEL_BACKENDS_LINUX_FACTS_PROTECTED_PATHS_H
#define HEEL_BACKENDS_LINUX_FACTS_PROTECTED_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "backends/backend.h"

/* The group of what no switch shows: sockets of services that act for whoever connects, and heel's
 * own. */
#define HEEL_PROTECTED_ALWAYS HEEL_PROTECTED_GROUP_COUNT

struct heel_protected_path {
    enum heel_protected_group group;
    const char *path; /* relative: below every home; absolute: itself; NULL: the variable's only */
    const char *variable; /* where the user may have moved it to, or NULL; it may be a list with
                             colons */
    const char *suffix;   /* what of the variable's directory is meant, or NULL: itself */
    const char *reason;
};

extern const struct heel_protected_path heel_protected_paths[];
extern const size_t heel_protected_path_count;

/* "protection: cloud config" and so on, as a plan says it; static. */
const char *heel_protected_group_origin(enum heel_protected_group group);
/* "CLOUD" and so on, as in the contract; static. Not for HEEL_PROTECTED_ALWAYS. */
const char *heel_protected_group_label(enum heel_protected_group group);

/* What the spec's switches and its level say of a group. */
bool heel_protected_group_is_on(const struct heel_sandbox_spec *spec,
                                enum heel_protected_group group);

#endif
