/* What the launcher makes ahead while nothing is asked for, and when the host has changed too much
 * for it to be of use. */
#include "backends/linux/launcher/launcher_parts.h"

#include <poll.h>

#include "backends/linux/state/state_dir.h"
#include "base/clock.h"

#define MOUNTS_QUIET_MS 1000 /* or for this long, when the host's mounts have just changed */
#define SPARE_QUIET_MS \
    3 /* a spare is born when nothing was asked for this long: mounting takes turns, kernel-wide \
       */
#define POOL_KEEP 1        /* pairs that stay ready however long nothing happens */
#define POOL_IDLE_MS 20000 /* others go after this */
#define SWEEP_AGAIN_MS 50  /* after a sweep that found something held, doubled each time */
#define SWEEP_AGAIN_MAX_MS 60000

void launcher_on_host_changed(struct launcher *launcher)
{
    launcher->generation++;
    launcher->spare_quiet_ms = MOUNTS_QUIET_MS;
    heel_spare_drop(&launcher->spare);
    heel_namespace_pool_forget_templates(&launcher->pool);
}

void launcher_notice_mounts(struct launcher *launcher)
{
    struct pollfd event = {launcher->mounts, POLLPRI, 0};

    if (poll(&event, 1, 0) != 0) /* which is told once */
        launcher_on_host_changed(launcher);
}

static bool spare_missing(const struct launcher *launcher)
{
    return launcher->makes_spares && !heel_spare_is_for(&launcher->spare, launcher->next_uid,
                                                        launcher->next_gid, launcher->next_level);
}

static void make_spare(struct launcher *launcher)
{
    struct heel_namespace_pair pair;
    int level = launcher->next_level;

    heel_spare_drop(&launcher->spare);
    launcher->spare_quiet_ms = SPARE_QUIET_MS;
    if (launcher_take_pair(launcher, launcher->next_uid, launcher->next_gid, level, &pair, NULL) ==
        0) {
        if (level >= 0 && pair.templates[level].mounts < 0)
            level = -1;
        if (heel_spare_make(&launcher->spare, &pair, level, launcher->instance.path,
                            &launcher->quotas, NULL) == 0) {
            heel_launched_add(&launcher->launched, launcher->spare.newborn.pid, pair);
            return;
        }
        heel_namespace_pair_close(&pair);
    }
    launcher->makes_spares = false; /* each create tries for itself, and says what is wrong */
}

/* An instance whose lock is held may be that of a living heeld, or that of one which was just
 * killed and whose processes are still dying: so the sweep is repeated for a while. */
static void sweep(struct launcher *launcher)
{
    bool held = heel_state_sweep(launcher->options.state_dir, launcher->instance.path);
    int later = launcher->sweep_again_ms ? launcher->sweep_again_ms * 2 : SWEEP_AGAIN_MS;

    launcher->sweep_again_ms = !held ? 0 : later < SWEEP_AGAIN_MAX_MS ? later : SWEEP_AGAIN_MAX_MS;
}

void launcher_make_ahead(struct launcher *launcher)
{
    launcher->spare_quiet_ms = SPARE_QUIET_MS;
    if (launcher->makes_spares)
        make_spare(launcher);
    sweep(launcher);
}

void launcher_use_leisure(struct launcher *launcher)
{
    if (spare_missing(launcher))
        make_spare(launcher);
    else if (launcher->sweep_again_ms)
        sweep(launcher);
    heel_namespace_pool_trim(&launcher->pool, heel_clock_ms() - POOL_IDLE_MS, POOL_KEEP);
}

int launcher_leisure_in_ms(const struct launcher *launcher)
{
    if (spare_missing(launcher))
        return launcher->spare_quiet_ms;
    if (launcher->sweep_again_ms)
        return launcher->sweep_again_ms;
    return launcher->pool.count > POOL_KEEP ? POOL_IDLE_MS : -1;
}
