/* Write-xor-execute: the last word on a plan that is otherwise complete. */
#include "backends/linux/kernel/landlock_rights.h"
#include "backends/linux/plan/plan_build.h"

/* It is the mounts that count: Landlock knows nothing of the loader, which maps what it runs, and
 * gives what a rule on a directory above gives. Where there are none the report says so. */
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
