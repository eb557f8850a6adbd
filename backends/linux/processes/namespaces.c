#include "backends/linux/processes/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOLDER_STACK 4096

/* Keeps the new namespaces alive until the launcher has opened them and kills this process. It must
 * not outlive the launcher, of whose descriptors it has copies. It shares the launcher's memory, so
 * it touches nothing, errno included. */
static int hold(void *launcher)
{
    syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
    while (syscall(SYS_getppid) == (intptr_t)launcher) /* it may have died before */
        syscall(SYS_pause);
    return 0;
}

static int write_proc(pid_t pid, const char *file, const char *text)
{
    char path[64];
    heel_autoclose int fd = -1;
    size_t length = strlen(text);

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, text, length) == (ssize_t)length ? 0 : -1;
}

static int open_namespace(pid_t pid, const char *kind)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, kind);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* An ordinary user may map itself only, and its gid only once setgroups is denied; root keeps
 * setgroups, to drop its own groups when it enters. */
static int map_identity(pid_t pid, uid_t uid, gid_t gid)
{
    char uids[48], gids[48];

    snprintf(uids, sizeof uids, "%u %u 1", (unsigned)uid, (unsigned)uid);
    snprintf(gids, sizeof gids, "%u %u 1", (unsigned)gid, (unsigned)gid);
    if (geteuid() != 0 && write_proc(pid, "setgroups", "deny"))
        return -1;
    return write_proc(pid, "uid_map", uids) || write_proc(pid, "gid_map", gids) ? -1 : 0;
}

static int open_pair(pid_t holder, struct heel_namespace_pair *pair)
{
    heel_autoclose int user = -1;
    heel_autoclose int net = -1;
    heel_autoclose int sockstat = -1;
    char path[64];

    if (map_identity(holder, pair->uid, pair->gid))
        return -1;
    user = open_namespace(holder, "user");
    net = open_namespace(holder, "net");
    snprintf(path, sizeof path, "/proc/%d/net/sockstat", (int)holder);
    sockstat = open(path, O_RDONLY | O_CLOEXEC);
    if (user < 0 || net < 0 || sockstat < 0)
        return -1;
    pair->user = heel_steal_fd(&user);
    pair->net = heel_steal_fd(&net);
    pair->sockstat = heel_steal_fd(&sockstat);
    return 0;
}

int heel_namespace_pair_make(uid_t uid, gid_t gid, struct heel_namespace_pair *pair,
                             struct heel_error **err)
{
    static _Alignas(16) char stack[HOLDER_STACK];
    struct heel_namespace_pair made = {
        .user = -1, .net = -1, .sockstat = -1, .uid = uid, .gid = gid};
    pid_t holder =
        clone(hold, stack + sizeof stack, CLONE_VM | CLONE_NEWUSER | CLONE_NEWNET | SIGCHLD,
              (void *)(intptr_t)getpid());
    int result, why;

    if (holder < 0)
        return heel_error_set_errno(err, errno, "cannot make a user and a network namespace");
    result = open_pair(holder, &made);
    why = errno;
    kill(holder, SIGKILL);
    while (waitpid(holder, NULL, 0) < 0 && errno == EINTR)
        ;
    if (result)
        return heel_error_set_errno(err, why, "cannot set up a user namespace for uid %u",
                                    (unsigned)uid);
    for (size_t i = 0; i < HEEL_LEVELS; i++)
        made.templates[i].mounts = -1;
    *pair = made;
    return 0;
}

bool heel_namespace_pair_is_clean(const struct heel_namespace_pair *pair)
{
    char text[512];
    ssize_t length = pread(pair->sockstat, text, sizeof text - 1, 0);
    unsigned used, in_use, orphans, waiting;

    if (length <= 0)
        return false;
    text[length] = '\0';
    return sscanf(text, "sockets: used %u TCP: inuse %u orphan %u tw %u", &used, &in_use, &orphans,
                  &waiting) == 4 &&
           used == 0 && in_use == 0 && orphans == 0 && waiting == 0;
}

void heel_namespace_pair_forget_templates(struct heel_namespace_pair *pair)
{
    for (size_t i = 0; i < HEEL_LEVELS; i++)
        if (pair->templates[i].mounts >= 0)
            close(heel_steal_fd(&pair->templates[i].mounts));
}

void heel_namespace_pair_close(struct heel_namespace_pair *pair)
{
    heel_namespace_pair_forget_templates(pair);
    close(pair->user);
    close(pair->net);
    close(pair->sockstat);
    pair->user = pair->net = pair->sockstat = -1;
}

static void remove_at(struct heel_namespace_pool *pool, size_t index)
{
    pool->count--;
    memmove(&pool->idle[index], &pool->idle[index + 1],
            (pool->count - index) * sizeof pool->idle[0]);
}

/* How good this pair is: 0 if it is of another identity, 2 if it has the template, else 1. */
static int fitness(const struct heel_namespace_pair *pair, uid_t uid, gid_t gid, int level)
{
    if (pair->uid != uid || pair->gid != gid)
        return 0;
    return level >= 0 && pair->templates[level].mounts >= 0 ? 2 : 1;
}

bool heel_namespace_pool_take(struct heel_namespace_pool *pool, uid_t uid, gid_t gid, int level,
                              struct heel_namespace_pair *pair)
{
    int best = 0;
    size_t index = 0;

    for (size_t i = pool->count; i-- > 0 && best < 2;) {
        int fits = fitness(&pool->idle[i].pair, uid, gid, level);

        if (fits > best) {
            best = fits;
            index = i;
        }
    }
    if (best == 0)
        return false;
    *pair = pool->idle[index].pair;
    remove_at(pool, index);
    return true;
}

void heel_namespace_pool_forget_templates(struct heel_namespace_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++)
        heel_namespace_pair_forget_templates(&pool->idle[i].pair);
}

static void drop_oldest(struct heel_namespace_pool *pool)
{
    heel_namespace_pair_close(&pool->idle[0].pair);
    remove_at(pool, 0);
}

void heel_namespace_pool_give(struct heel_namespace_pool *pool, struct heel_namespace_pair pair,
                              int64_t now_ms)
{
    if (pool->count == HEEL_POOL_IDLE_MAX)
        drop_oldest(pool);
    pool->idle[pool->count++] = (struct heel_idle_pair){pair, now_ms};
}

void heel_namespace_pool_trim(struct heel_namespace_pool *pool, int64_t until_ms, size_t keep)
{
    while (pool->count > keep && pool->idle[0].since_ms < until_ms)
        drop_oldest(pool);
}
