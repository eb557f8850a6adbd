#include "backends/linux/plan/guards.h"

#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "backends/linux/plan/plan_build.h"

#define NEWCOMERS (IN_CREATE | IN_MOVED_TO | IN_ONLYDIR | IN_DONT_FOLLOW)

bool heel_guards_want(const struct heel_plan *plan, const struct heel_mount *mount)
{
    if (mount->kind != HEEL_MOUNT_MASK && mount->kind != HEEL_MOUNT_READ_ONLY)
        return false;
    for (size_t i = 0; i < plan->mount_count; i++)
        if ((plan->mounts[i].flags & HEEL_MOUNT_NAMED) &&
            heel_path_is_at_or_below(mount->target, plan->mounts[i].target))
            return true;
    return false;
}

static int watch_folder_of(int inotify, const char *target)
{
    heel_autofree char *folder = strndup(target, (size_t)(strrchr(target, '/') - target));

    return inotify_add_watch(inotify, folder[0] ? folder : "/", NEWCOMERS);
}

int heel_guards_watch(const struct heel_plan *plan, int **watches)
{
    heel_autoclose int inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    heel_autofree int *made = heel_xcalloc(plan->mount_count, sizeof *made);
    size_t count = 0;

    for (size_t i = 0; i < plan->mount_count; i++) {
        made[i] = -1;
        if (!heel_guards_want(plan, &plan->mounts[i]))
            continue;
        made[i] = watch_folder_of(inotify, plan->mounts[i].target);
        if (made[i] < 0 || ++count > HEEL_GUARDS_MAX)
            return -1;
    }
    *watches = heel_steal(made);
    return heel_steal_fd(&inotify);
}
