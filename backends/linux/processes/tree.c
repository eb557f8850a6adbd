#include "backends/linux/processes/tree.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backends/linux/processes/descendants.h"
#include "backends/linux/processes/proc_walk.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define HASH_BITS 30
#define ROUNDS_AT_EASE 4  /* scans before the whole sandbox is stopped for the next ones */
#define KILL_MS_MAX 10000 /* thousands of killed processes take their time to die */
#define DEATH_WAIT_MS 20
#define STOP_ROUNDS_MAX 100

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

/* ---- finding them */

struct hunt {
    const struct heel_tree_tags *tags;
    uint64_t tag;
    int proc;     /* borrowed */
    int number;   /* of the signal */
    size_t found; /* alive, in this scan */
    int last;     /* pidfd of the last one found; owned */
};

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
    uint64_t tag;

    if (pidfd < 0 || (is_shared(hunt) && !heel_is_descendant(pid)) ||
        !heel_tree_tag_read(hunt->proc, pid, &tag))
        return;
    if (tag != hunt->tag && heel_tree_tag_valid(hunt->tags, tag))
        return;
    if (is_dead(pidfd))
        return;
    syscall(SYS_pidfd_send_signal, pidfd, hunt->number, NULL, 0);
    hunt->found++;
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

static int scan(struct hunt *hunt)
{
    hunt->found = 0;
    return is_shared(hunt) ? scan_descendants(hunt) : heel_proc_walk(hunt->proc, hunt_one, hunt);
}

/* Stops everything in the sandbox, or lets it go on. One after the other where a single call would
 * hit the host as well: what is born meanwhile is stopped by the next. */
static bool signal_all(const struct hunt *hunt, int number)
{
    struct heel_pids pids = {0};

    if (!is_shared(hunt))
        return kill(-1, number) == 0;
    heel_descendants_list(&pids);
    for (size_t i = 0; i < pids.count; i++)
        heel_descendant_signal(pids.items[i], number);
    heel_pids_clear(&pids);
    return true;
}

/* When processes are made faster than one scan finds them, everything in the sandbox is stopped at
 * a stroke, which no fork in progress escapes, and what is not to be killed goes on afterwards. */
static int hunt_down(struct hunt *hunt, bool paused)
{
    int64_t deadline = heel_clock_ms() + KILL_MS_MAX;
    bool stopped = false;
    int result = -1;

    for (int round = 0; result && heel_clock_ms() < deadline; round++) {
        struct pollfd death;

        if (!paused && (round == ROUNDS_AT_EASE || (round > ROUNDS_AT_EASE && is_shared(hunt))))
            stopped = signal_all(hunt, SIGSTOP);
        if (scan(hunt))
            break;
        if (hunt->found == 0)
            result = 0;
        death = (struct pollfd){hunt->last, POLLIN, 0};
        if (hunt->found > 0)
            poll(&death, 1, DEATH_WAIT_MS);
    }
    if (stopped)
        signal_all(hunt, SIGCONT);
    return result;
}

int heel_tree_kill(const struct heel_tree_tags *tags, int proc, pid_t leader, uint64_t tag,
                   bool paused)
{
    struct hunt hunt = {.tags = tags, .tag = tag, .proc = proc, .number = SIGKILL, .last = -1};
    int result;

    /* Most trees are one process group, fork bombs included, and this takes it at a stroke. */
    kill(-leader, SIGKILL);
    result = hunt_down(&hunt, paused);
    if (hunt.last >= 0)
        close(hunt.last);
    return result;
}

void heel_tree_signal(const struct heel_tree_tags *tags, int proc, uint64_t tag, int number)
{
    struct hunt hunt = {.tags = tags, .tag = tag, .proc = proc, .number = number, .last = -1};
    size_t before = 0;

    /* One that forks while it is looked for leaves a child behind that was not seen. */
    for (int round = 0; round < STOP_ROUNDS_MAX; round++) {
        if (scan(&hunt) || number != SIGSTOP || hunt.found == before)
            break;
        before = hunt.found;
    }
    if (hunt.last >= 0)
        close(hunt.last);
}
