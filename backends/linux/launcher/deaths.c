/* The deaths of the launcher's children, and what becomes of the namespaces they lived in: they are
 * used again, and a template is made in those that were used often enough. */
#include "backends/linux/launcher/launcher_parts.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/linux/processes/descendants.h"
#include "base/clock.h"

/* Starts to make a template in the pair of a sandbox that has ended, if one is wanted. Whether that
 * was started, and the pair is in use. */
static bool start_template(struct launcher *launcher, struct heel_launched *launched)
{
    struct heel_template_maker maker;
    struct heel_launched *making;

    if (!launcher_wants_plan(launcher, launched) || launched->plan.length == 0)
        return false;
    if (heel_template_start(&launched->pair, &launched->plan, launcher->instance.path,
                            &launcher->quotas, &maker, NULL)) {
        launcher->can_share = false; /* they are only faster */
        return false;
    }
    launched->pair.generation = launcher->generation;
    making = heel_launched_add(&launcher->launched, maker.newborn.pid, launched->pair);
    making->maker = maker;
    making->level = launched->level;
    return true;
}

static void reaped(struct launcher *launcher, pid_t pid)
{
    struct heel_launched launched;
    bool in_use = false, clean;

    if (!heel_launched_take(&launcher->launched, pid, &launched))
        return;
    launcher->work_done = launcher->work_done || pid == launcher->only;
    if (launched.has_cgroup)
        heel_cgroup_remove(&launcher->cgroups, launched.id);
    if (launcher->bare)
        return;
    heel_spare_died(&launcher->spare, pid);
    if (launched.pair.generation != launcher->generation)
        heel_namespace_pair_forget_templates(&launched.pair);
    clean = heel_namespace_pair_is_clean(&launched.pair);
    if (launched.maker.said < 0) {
        launched.pair.uses++;
        in_use = clean && start_template(launcher, &launched);
    } else if (heel_template_finish(&launched.maker, &launched.pair.templates[launched.level])) {
        launcher->can_share = false;
    } else if (launched.pair.generation != launcher->generation) {
        heel_namespace_pair_forget_templates(&launched.pair);
    }
    if (!in_use && clean)
        heel_namespace_pool_give(&launcher->pool, launched.pair, heel_clock_ms());
    else if (!in_use)
        heel_namespace_pair_close(&launched.pair);
    heel_buffer_free(&launched.plan);
}

static bool is_launched(const void *data, pid_t pid)
{
    const struct launcher *launcher = data;

    return heel_launched_find(&launcher->launched, pid) != NULL;
}

void launcher_reap(struct launcher *launcher)
{
    struct signalfd_siginfo info[16];
    int status;
    pid_t pid;

    while (read(launcher->children, info, sizeof info) > 0)
        ;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (!launcher_end_cover(launcher, pid, status))
            reaped(launcher, pid);
    /* A holder that was killed (nobody should) leaves its children to the launcher, its parent. */
    if (launcher->bare)
        heel_children_kill(is_launched, launcher);
}

void launcher_end_holders(struct launcher *launcher)
{
    struct heel_launched launched;
    pid_t pid;

    for (size_t i = 0; i < launcher->launched.count; i++)
        kill(launcher->launched.items[i].pid, SIGTERM);
    while ((pid = waitpid(-1, NULL, 0)) > 0 || errno == EINTR) {
        if (pid > 0)
            heel_launched_take(&launcher->launched, pid, &launched);
        heel_children_kill(is_launched, launcher);
    }
}

void launcher_kill_all(struct launcher *launcher)
{
    for (size_t i = 0; i < launcher->launched.count; i++)
        /* our child and not reaped: nobody else can have its pid */
        kill(launcher->launched.items[i].pid, SIGKILL);
    heel_covers_kill(&launcher->covers);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        ;
    for (size_t i = 0; i < launcher->launched.count; i++)
        if (launcher->launched.items[i].has_cgroup)
            heel_cgroup_remove(&launcher->cgroups, launcher->launched.items[i].id);
}
