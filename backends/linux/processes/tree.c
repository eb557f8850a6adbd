#include "backends/linux/processes/tree.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backends/linux/processes/proc_walk.h"
#include "backends/linux/processes/process_stat.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define HASH_BITS 30
#define ROUNDS_AT_EASE 5  /* scans before the whole sandbox is stopped for the next ones */
#define KILL_MS_MAX 10000 /* thousands of killed processes take their time to die */
#define DEATH_WAIT_MS 20
#define STOP_ROUNDS_AT_EASE 8
#define STOP_ROUND_MS 2
#define BRIEF_PAUSES_MAX 3

/* SplitMix64's finaliser, keyed twice: no code in the sandbox sees the key, and 30 bits are all
 * that there is to guess. */
static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31);
}

static uint64_t tag_of(const struct heel_tree_tags *tags, uint32_t number)
{
    uint64_t hash = mix(mix(number ^ tags->key[0]) + tags->key[1]);

    return ((hash >> (64 - HASH_BITS)) << 32) | number;
}

int heel_tree_tags_init(struct heel_tree_tags *tags)
{
    tags->next = 1;
    return getrandom(tags->key, sizeof tags->key, 0) == (ssize_t)sizeof tags->key ? 0 : -1;
}

uint64_t heel_tree_tag_next(struct heel_tree_tags *tags)
{
    return tag_of(tags, tags->next++);
}

bool heel_tree_tag_valid(const struct heel_tree_tags *tags, uint64_t tag)
{
    return tag == tag_of(tags, (uint32_t)tag);
}

int heel_tree_tag_take(uint64_t tag)
{
    struct rlimit limit = {tag, tag};

    return setrlimit(RLIMIT_LOCKS, &limit);
}

/* ---- finding them ---- */

struct hunt {
    const struct heel_tree_tags *tags;
    uint64_t tag;
    int proc;                  /* borrowed */
    int number;                /* of the signal; 0: none */
    size_t found;              /* alive, in this scan */
    bool empty;                /* none was found in the last one */
    size_t moving;             /* of these, those that may not have stopped for good */
    struct heel_pids *members; /* borrowed; where they are listed; NULL: nowhere */
    int last;                  /* pidfd of the last one found; owned */
};

static struct hunt hunt_of(const struct heel_tree *tree, int number)
{
    return (struct hunt){
        .tags = tree->tags, .tag = tree->tag, .proc = tree->proc, .number = number, .last = -1};
}

static bool is_shared(const struct hunt *hunt)
{
    return hunt->tags->shared;
}

bool heel_tree_tag_read(int proc, pid_t pid, uint64_t *tag)
{
    char path[32], text[2048];
    heel_autoclose int fd = -1;
    const char *line;
    ssize_t length;

    snprintf(path, sizeof path, "%d/limits", (int)pid);
    fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (length <= 0)
        return false;
    text[length] = '\0';
    line = strstr(text, "\nMax file locks");
    if (!line)
        return false;
    line += strlen("\nMax file locks");
    line += strspn(line, " ");
    if (!isdigit((unsigned char)*line))
        return false; /* unlimited: ours, since a command can't raise it */
    *tag = strtoull(line, NULL, 10);
    return true;
}

static bool is_dead(int pidfd)
{
    struct pollfd event = {pidfd, POLLIN, 0};

    return poll(&event, 1, 0) == 1;
}

/* The pidfd comes first: should the pid pass to another process now, then it is that one's tag
 * which is read, and the signal goes to the dead one. Nobody is hit by mistake. */
static void hunt_one(void *data, pid_t pid)
{
    struct hunt *hunt = data;
    heel_autoclose int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct heel_process_stat stat;
    uint64_t tag;

    if (pidfd < 0 || !heel_tree_tag_read(hunt->proc, pid, &tag)) {
        /* One that is gone by now may have left another in its place. */
        hunt->moving += !heel_process_stat_read(hunt->proc, pid, &stat);
        return;
    }
    if (tag != hunt->tag && heel_tree_tag_valid(hunt->tags, tag))
        return;
    if ((is_shared(hunt) && !heel_is_descendant(pid)) || is_dead(pidfd))
        return;
    if (hunt->number > 0)
        syscall(SYS_pidfd_send_signal, pidfd, hunt->number, NULL, 0);
    hunt->found++;
    hunt->moving += heel_process_stat_read(hunt->proc, pid, &stat) &&
                    (heel_process_runs(&stat) || heel_process_is_held(&stat));
    if (hunt->members)
        heel_pids_append(hunt->members, pid);
    if (hunt->last >= 0)
        close(hunt->last);
    hunt->last = heel_steal_fd(&pidfd);
}

static int scan_descendants(struct hunt *hunt)
{
    struct heel_pids pids = {0};

    heel_descendants_list(&pids);
    for (size_t i = 0; i < pids.count; i++)
        hunt_one(hunt, pids.items[i]);
    heel_pids_clear(&pids);
    return 0;
}

/* Where others share the pid namespace a look at all their processes, too, takes time, but the list
 * of descendants may lack some while others die. */
static int scan(struct hunt *hunt, bool thorough)
{
    hunt->found = hunt->moving = 0;
    return is_shared(hunt) && !thorough ? scan_descendants(hunt)
                                        : heel_proc_walk(hunt->proc, hunt_one, hunt);
}

static void hunt_over(struct hunt *hunt)
{
    if (hunt->last >= 0)
        close(hunt->last);
}

/* ---- killing them */

/* Whether none is left, at a second look as well. */
static bool kill_round(struct hunt *hunt)
{
    struct pollfd death;
    bool empty = hunt->empty;

    if (scan(hunt, empty))
        return false;
    hunt->empty = hunt->found == 0;
    death = (struct pollfd){hunt->last, POLLIN, 0};
    if (!hunt->empty)
        poll(&death, 1, DEATH_WAIT_MS);
    return empty && hunt->empty;
}

static bool kill_all(struct hunt *hunt, int64_t deadline)
{
    while (!kill_round(hunt))
        if (heel_clock_ms() > deadline)
            return false;
    return true;
}

struct last_resort {
    struct hunt *hunt;
    int64_t deadline;
    bool killed;
};

static void kill_standing(struct heel_pause *brief, void *data)
{
    struct last_resort *resort = data;

    (void)brief;
    resort->killed = kill_all(resort->hunt, resort->deadline);
}

/* Processes that are made faster than one scan finds them are killed while everything in the
 * sandbox stands still; what is not to be killed goes on afterwards. */
static bool hunt_down(struct hunt *hunt, const struct heel_pause *pause)
{
    struct last_resort resort = {hunt, heel_clock_ms() + KILL_MS_MAX, false};

    for (int round = 0; round < ROUNDS_AT_EASE; round++)
        if (kill_round(hunt))
            return true;
    if (pause->mechanism != HEEL_PAUSE_NONE)
        return kill_all(hunt, resort.deadline);
    while (!resort.killed && heel_clock_ms() < resort.deadline)
        if (!heel_pause_briefly(pause, hunt->proc, kill_standing, &resort))
            resort.killed = kill_round(hunt); /* some other one can't be stopped */
    return resort.killed;
}

int heel_tree_kill(const struct heel_tree *tree, pid_t leader)
{
    struct hunt hunt = hunt_of(tree, SIGKILL);
    bool killed;

    /* Most trees are one process group, fork bombs included, and this takes it at a stroke. */
    kill(-leader, SIGKILL);
    killed = hunt_down(&hunt, tree->pause);
    hunt_over(&hunt);
    return killed ? 0 : -1;
}

/* ---- other signals */

void heel_tree_signal(const struct heel_tree *tree, int number)
{
    struct hunt hunt = hunt_of(tree, number);

    scan(&hunt, false);
    hunt_over(&hunt);
}

void heel_tree_list(const struct heel_tree *tree, struct heel_pids *pids)
{
    struct hunt hunt = hunt_of(tree, 0);

    hunt.members = pids;
    scan(&hunt, true);
    hunt_over(&hunt);
}

/* Whether all stand still: in a scan that finds as many as the one before it, who already stood
 * then. One can be born behind a scan's back of another that stops only afterwards. */
static bool stop_at_ease(struct hunt *hunt)
{
    size_t before = 0;
    bool stood = false;

    for (int round = 0; round < STOP_ROUNDS_AT_EASE; round++) {
        if (scan(hunt, stood))
            return false;
        if (hunt->moving == 0 && stood && hunt->found == before)
            return true;
        stood = hunt->moving == 0;
        before = hunt->found;
        if (!stood)
            poll(NULL, 0, STOP_ROUND_MS);
    }
    return false;
}

static void keep(struct heel_pause *pause, void *data)
{
    struct heel_pids pids = {0};

    heel_tree_list(data, &pids);
    heel_pause_keep(pause, &pids);
    heel_pids_clear(&pids);
}

bool heel_tree_stop(const struct heel_tree *tree)
{
    struct hunt hunt = hunt_of(tree, SIGSTOP);
    bool stopped = stop_at_ease(&hunt);

    hunt_over(&hunt);
    for (int i = 0; !stopped && i < BRIEF_PAUSES_MAX; i++)
        stopped = heel_pause_briefly(tree->pause, tree->proc, keep, (void *)(uintptr_t)tree);
    return stopped;
}
