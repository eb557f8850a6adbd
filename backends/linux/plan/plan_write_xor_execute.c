/* Write-xor-execute: the last word on a plan that is otherwise complete. */
#include "backends/linux/kernel/landlock_rights.h"
#include "backends/linux/plan/plan_build.h"

/* noexec mounts do the work: they also stop the loader, which maps what it runs, and which Landlock
 * doesn't see; and a Landlock rule can't take away what one on a directory above gives. Without
 * mounts the report says DEGRADED. */
void heel_plan_separate_writing(struct heel_plan *plan)
{
    plan->write_xor_execute = true;
    for (size_t i = 0; i < plan->mount_count; i++)
        if (plan->mounts[i].flags & HEEL_MOUNT_WRITABLE)
            plan->mounts[i].flags &= ~(unsigned)HEEL_MOUNT_EXECUTABLE;
    for (size_t i = 0; i < plan->rule_count; i++)
        if (plan->rules[i].rights & HEEL_LANDLOCK_WRITE_FILE)
            plan->rules[i].rights &= ~HEEL_LANDLOCK_EXECUTE;
}
