/* Landlock, applied: what a plan allows becomes a ruleset, and a thread confines itself with it. */
#ifndef HEEL_BACKENDS_LINUX_CONFINE_LANDLOCK_H
#define HEEL_BACKENDS_LINUX_CONFINE_LANDLOCK_H

#include "backends/linux/kernel/landlock_rights.h"
#include "backends/linux/plan/plan.h"

/* The ABI that this kernel has and heel uses of it (without.h); 0 where there is no Landlock. */
unsigned heel_landlock_abi(void);

/* Makes a ruleset of the plan's rules, looked up from the current root. Its descriptor, which is
 * the caller's, or -1 and *err. */
int heel_landlock_prepare(const struct heel_plan *plan, struct heel_error **err);
/* Confines this thread with it. no_new_privs must be set. `audited`: somebody reads the
 * kernel's audit records, so what it refuses to commands is to be in them (ABI 7). 0, or -1 and
 * *err. */
int heel_landlock_apply(int ruleset, bool audited, struct heel_error **err);
/* Prepares and applies, for a sandbox whose refusals nobody audits. */
int heel_landlock_restrict(const struct heel_plan *plan, struct heel_error **err);

#endif
