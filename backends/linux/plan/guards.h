/* Masks and read-only mounts lie on what a path led to when the sandbox was made. A host that puts
 * something new there by rename, as editors do, takes them along or drops them: the folders are
 * watched, and what comes under a guarded name is covered again. */
#ifndef HEEL_BACKENDS_LINUX_PLAN_GUARDS_H
#define HEEL_BACKENDS_LINUX_PLAN_GUARDS_H

#include <stdbool.h>
#include <stddef.h>

#include "backends/linux/plan/plan.h"

#define HEEL_GUARDS_MAX 1024 /* of one sandbox; the plan's report tells of more */

/* Whether this mount of the plan has to be made again when the host replaces what it lies on: it
 * lies in something that the caller named. */
bool heel_guards_want(const struct heel_plan *plan, const struct heel_mount *mount);

/* Watches for all that the plan wants guarded. The inotify descriptor, the caller's, or -1 where
 * that can't be had or not for all. *watches gets one watch descriptor per mount of the plan, -1
 * where it isn't guarded; the caller's. Call it in a thread of the pool. */
int heel_guards_watch(const struct heel_plan *plan, int **watches);

#endif
