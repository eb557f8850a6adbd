#include "backends/linux/processes/pause.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/linux/processes/descendants.h"
#include "backends/linux/processes/proc_walk.h"
#include "base/cleanup.h"
#include "base/text.h"

#define ROUND_MS 2
#define ROUNDS_MAX 1000 /* a process in the kernel stops on its way out */

/* Runs `visit` for every process but this one, with its state as in proc(5), stat. */
struct walk {
    void (*visit)(void *data, pid_t pid, char state);
    void *data;
};

static char state_of(int proc, pid_t pid)
{
    char path[32], text[512];
    heel_autoclose int fd = -1;
    const char *name_end;
    ssize_t length;

    snprintf(path, sizeof path, "%d/stat", (int)pid);
    fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (length <= 0)
        return 'X';
    text[length] = '\0';
    name_end = strrchr(text, ')'); /* a name may hold anything */
    return name_end && name_end[1] == ' ' ? name_end[2] : 'X';
}

static int walk_descendants(const struct heel_pause *pause, int proc, const struct walk *walk)
{
    struct heel_pids pids = {0};

    heel_descendants_list(&pids);
    for (size_t i = 0; i < pids.count; i++)
        if (pids.items[i] != pause->nursery)
            walk->visit(walk->data, pids.items[i], state_of(proc, pids.items[i]));
    heel_pids_clear(&pids);
    return 0;
}

struct walk_in_proc {
    int proc;
    const struct walk *walk;
};

static void visit_with_state(void *data, pid_t pid)
{
    const struct walk_in_proc *in = data;

    in->walk->visit(in->walk->data, pid, state_of(in->proc, pid));
}

static int walk(const struct heel_pause *pause, int proc, const struct walk *walk)
{
    struct walk_in_proc in = {proc, walk};

    return pause->shared ? walk_descendants(pause, proc, walk)
                         : heel_proc_walk(proc, visit_with_state, &in);
}

static bool is_stopped(char state)
{
    return state == 'T' || state == 't';
}

/* ---- beginning ---- */

static void note_stopped(void *data, pid_t pid, char state)
{
    struct heel_pause *pause = data;

    if (!is_stopped(state))
        return;
    pause->stopped =
        heel_xrealloc(pause->stopped, pause->stopped_count + 1, sizeof *pause->stopped);
    pause->stopped[pause->stopped_count++] = pid;
}

/* One that is in the kernel for good (D: it waits for the child of a vfork, or a disk) runs no code
 * of its own until it stops. */
static void count_running(void *data, pid_t pid, char state)
{
    size_t *running = data;

    (void)pid;
    if (state == 'R' || state == 'S')
        (*running)++;
}

static void stop_one(void *data, pid_t pid, char state)
{
    (void)data;
    if (!is_stopped(state))
        heel_descendant_signal(pid, SIGSTOP);
}

static int stop_all(const struct heel_pause *pause, int proc)
{
    if (pause->shared)
        return walk(pause, proc, &(struct walk){stop_one, NULL});
    return kill(-1, SIGSTOP) == 0 || errno == ESRCH ? 0 : -1;
}

static int wait_for_all(const struct heel_pause *pause, int proc)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        size_t running = 0;

        if (walk(pause, proc, &(struct walk){count_running, &running}))
            return -1;
        if (running == 0)
            return 0;
        /* Where they are stopped one after the other, one may have been born meanwhile. */
        if (pause->shared && stop_all(pause, proc))
            return -1;
        poll(NULL, 0, ROUND_MS);
    }
    errno = ETIMEDOUT;
    return -1;
}

static void clear(struct heel_pause *pause)
{
    free(pause->stopped);
    *pause = (struct heel_pause){.shared = pause->shared, .nursery = pause->nursery};
}

/* kill(-1) reaches all at a stroke, and no fork in progress escapes it. */
int heel_pause_begin(struct heel_pause *pause, int proc)
{
    int why;

    if (pause->paused)
        return 0;
    if (walk(pause, proc, &(struct walk){note_stopped, pause}) == 0 && stop_all(pause, proc) == 0 &&
        wait_for_all(pause, proc) == 0) {
        pause->paused = true;
        return 0;
    }
    why = errno;
    heel_pause_end(pause, proc);
    errno = why;
    return -1;
}

/* ---- the end ---- */

static void let_go_on(void *data, pid_t pid, char state)
{
    const struct heel_pause *pause = data;

    (void)state; /* one in the kernel may be about to stop only now */
    for (size_t i = 0; i < pause->stopped_count; i++)
        if (pause->stopped[i] == pid)
            return;
    if (pause->shared)
        heel_descendant_signal(pid, SIGCONT);
    else
        kill(pid, SIGCONT);
}

int heel_pause_end(struct heel_pause *pause, int proc)
{
    int result = walk(pause, proc, &(struct walk){let_go_on, pause});

    if (result == 0)
        clear(pause);
    return result;
}
