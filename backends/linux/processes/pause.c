#include "backends/linux/processes/pause.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "backends/linux/processes/proc_walk.h"
#include "backends/linux/processes/process_stat.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define ROUND_MS 2
#define HELD_MS 50
#define HELD_MS_APART 1000
#define PATIENCE_MS 2000 /* a process in the kernel stops on its way out */
#define GONE 'X'

/* Runs `visit` for every process but this one. */
struct walk {
    void (*visit)(void *data, pid_t pid, const struct heel_process_stat *stat);
    void *data;
    bool thorough; /* nobody is overlooked, though others than ours are looked at for that */
};

/* One that is gone by now may have left another in its place. */
static void visit(const struct walk *walk, int proc, pid_t pid)
{
    struct heel_process_stat stat = {.state = GONE};

    heel_process_stat_read(proc, pid, &stat);
    walk->visit(walk->data, pid, &stat);
}

static int walk_descendants(const struct heel_pause *pause, int proc, const struct walk *walk)
{
    struct heel_pids pids = {0};

    heel_descendants_list(&pids);
    for (size_t i = 0; i < pids.count; i++)
        if (pids.items[i] != pause->nursery)
            visit(walk, proc, pids.items[i]);
    heel_pids_clear(&pids);
    return 0;
}

static bool is_ours(const struct heel_pause *pause, int proc, pid_t pid)
{
    struct heel_process_stat stat;

    if (!pause->shared)
        return true;
    return pid != pause->nursery &&
           (heel_is_descendant(pid) || !heel_process_stat_read(proc, pid, &stat));
}

struct walk_in_proc {
    const struct heel_pause *pause;
    int proc;
    const struct walk *walk;
};

static void visit_ours(void *data, pid_t pid)
{
    const struct walk_in_proc *in = data;

    if (is_ours(in->pause, in->proc, pid))
        visit(in->walk, in->proc, pid);
}

/* See scan() in tree.c. */
static int walk(const struct heel_pause *pause, int proc, const struct walk *walk)
{
    struct walk_in_proc in = {pause, proc, walk};

    return pause->shared && !walk->thorough ? walk_descendants(pause, proc, walk)
                                            : heel_proc_walk(proc, visit_ours, &in);
}

/* ---- beginning ---- */

static void note_stopped(void *data, pid_t pid, const struct heel_process_stat *stat)
{
    struct heel_pause *pause = data;

    if (heel_process_is_stopped(stat))
        heel_pids_append(&pause->stopped, pid);
}

struct census {
    size_t all;
    size_t running;
    size_t held;
};

static void count(void *data, pid_t pid, const struct heel_process_stat *stat)
{
    struct census *census = data;

    (void)pid;
    census->all++;
    census->running += heel_process_runs(stat) || stat->state == GONE;
    census->held += heel_process_is_held(stat);
}

static void stop_one(void *data, pid_t pid, const struct heel_process_stat *stat)
{
    (void)data;
    if (!heel_process_is_stopped(stat))
        heel_descendant_signal(pid, SIGSTOP);
}

static int stop_all(const struct heel_pause *pause, int proc)
{
    if (pause->shared)
        return walk(pause, proc, &(struct walk){stop_one, NULL, false});
    return kill(-1, SIGSTOP) == 0 || errno == ESRCH ? 0 : -1;
}

/* Who is held in the kernel may be forking, and gets some time to be done. */
static bool all_stand(const struct census *census, int64_t held_until)
{
    return census->running == 0 && (census->held == 0 || heel_clock_ms() > held_until);
}

/* One can be born behind a walk's back of another that stops only then, or be overlooked while it
 * gets another parent: so all must stand still before the walk that finds it so. */
static int wait_for_all(const struct heel_pause *pause, int proc, int64_t held_ms)
{
    int64_t held_until = heel_clock_ms() + held_ms, until = heel_clock_ms() + PATIENCE_MS;
    struct census before = {0};
    bool stood = false;

    while (heel_clock_ms() < until) {
        struct census census = {0};

        if (walk(pause, proc, &(struct walk){count, &census, stood}))
            return -1;
        if (all_stand(&census, held_until) && stood && census.all == before.all)
            return 0;
        before = census;
        stood = all_stand(&census, held_until);
        if (stood)
            continue;
        if (pause->shared && stop_all(pause, proc))
            return -1;
        poll(NULL, 0, ROUND_MS);
    }
    errno = ETIMEDOUT;
    return -1;
}

static int end(struct heel_pause *pause, int proc);

/* kill(-1) reaches all at a stroke, and no fork in progress escapes it: what it bears stops as
 * well, if a moment later. Where they are stopped one by one, or are to be told apart, it must be
 * there. */
static int begin(struct heel_pause *pause, int proc, bool apart)
{
    int64_t held_ms = apart || pause->shared ? HELD_MS_APART : HELD_MS;
    int why;

    if (walk(pause, proc, &(struct walk){note_stopped, pause, true}) == 0 &&
        stop_all(pause, proc) == 0 && wait_for_all(pause, proc, held_ms) == 0) {
        pause->mechanism = HEEL_PAUSE_SIGNALS;
        return 0;
    }
    why = errno;
    end(pause, proc);
    errno = why;
    return -1;
}

/* ---- the end ---- */

static void let_go_on(void *data, pid_t pid, const struct heel_process_stat *stat)
{
    const struct heel_pause *pause = data;

    (void)stat; /* one in the kernel may be about to stop only now */
    if (heel_pids_have(&pause->stopped, pid))
        return;
    if (pause->shared)
        heel_descendant_signal(pid, SIGCONT);
    else
        kill(pid, SIGCONT);
}

static int end(struct heel_pause *pause, int proc)
{
    if (walk(pause, proc, &(struct walk){let_go_on, pause, true}))
        return -1;
    heel_pids_clear(&pause->stopped);
    pause->mechanism = HEEL_PAUSE_NONE;
    return 0;
}

int heel_pause_set_timed_out(struct heel_error **err)
{
    return heel_error_set(err, HEEL_ABORTED, "PAUSE_TIMED_OUT",
                          "not every process of the sandbox stood still in time, so all go on: one "
                          "may be waiting in the kernel, as for a disk that doesn't answer, or, "
                          "without namespaces, they fork faster than they can be stopped");
}

static int fail(int why, const char *what, struct heel_error **err)
{
    if (why == ETIMEDOUT)
        return heel_pause_set_timed_out(err);
    return heel_error_set_errno(err, why, "cannot %s every process of the sandbox", what);
}

int heel_pause_set(struct heel_pause *pause, int proc, enum heel_pause_mechanism mechanism,
                   struct heel_error **err)
{
    if (mechanism == pause->mechanism)
        return 0;
    if (mechanism == HEEL_PAUSE_SIGNALS)
        return begin(pause, proc, false) == 0 ? 0 : fail(errno, "stop", err);
    if (pause->mechanism == HEEL_PAUSE_SIGNALS)
        return end(pause, proc) == 0 ? 0 : fail(errno, "continue", err);
    pause->mechanism = mechanism;
    return 0;
}

/* ---- those apart ---- */

void heel_pause_keep(struct heel_pause *pause, const struct heel_pids *pids)
{
    for (size_t i = 0; i < pids->count; i++)
        if (!heel_pids_have(&pause->stopped, pids->items[i]))
            heel_pids_append(&pause->stopped, pids->items[i]);
}

void heel_pause_let_go(struct heel_pause *pause, const struct heel_pids *pids)
{
    heel_pids_remove(&pause->stopped, pids);
}

bool heel_pause_briefly(const struct heel_pause *pause, int proc,
                        void (*act)(struct heel_pause *brief, void *data), void *data)
{
    struct heel_pause brief = {.shared = pause->shared, .nursery = pause->nursery};

    if (begin(&brief, proc, true))
        return false;
    act(&brief, data);
    end(&brief, proc);
    return true;
}

struct group {
    pid_t group;
    struct heel_pids *pids; /* borrowed */
};

static void list_member(void *data, pid_t pid, const struct heel_process_stat *stat)
{
    const struct group *group = data;

    if (stat->group == group->group)
        heel_pids_append(group->pids, pid);
}

void heel_pause_list_group(const struct heel_pause *pause, int proc, pid_t group,
                           struct heel_pids *pids)
{
    struct group members = {group, pids};

    walk(pause, proc, &(struct walk){list_member, &members, true});
}
