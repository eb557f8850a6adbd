#include "backends/linux/limits/census.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "backends/linux/processes/descendants.h"
#include "backends/linux/processes/proc_walk.h"
#include "base/text.h"

/* linux/nsfs.h since 6.11 */
#define GET_TGID_FROM_PIDNS _IOR(0xb7, 0x7, int)

/* The clock of a process's time on processors: linux/posix-timers.h, CPUCLOCK_SCHED. */
#define CLOCK_OF(pid) ((clockid_t)((~(unsigned)(pid) << 3) | 2))

#define STAT_BYTES 1024
#define INIT 1

static ssize_t read_file(int proc, pid_t pid, const char *name, char *text, size_t size)
{
    char path[48];
    heel_autoclose int fd = -1;
    ssize_t length;

    snprintf(path, sizeof path, "%d/%s", (int)pid, name);
    fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    length = fd < 0 ? -1 : read(fd, text, size - 1);
    if (length >= 0)
        text[length] = '\0';
    return length;
}

/* ---- processor time ---- */

static int read_clock(pid_t host, uint64_t *nanoseconds)
{
    struct timespec time;

    if (clock_gettime(CLOCK_OF(host), &time))
        return -1;
    *nanoseconds = (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
    return 0;
}

struct times {
    uint64_t own_ns;
    uint64_t children_ns; /* those that were waited for, and theirs */
};

/* Fields 14 to 17, counted from behind the name, which may hold anything. */
static int read_times(int proc, pid_t pid, struct times *times)
{
    char text[STAT_BYTES];
    unsigned long long user, system, children_user, children_system;
    uint64_t tick_ns = 1000000000U / (uint64_t)sysconf(_SC_CLK_TCK);
    const char *after;

    if (read_file(proc, pid, "stat", text, sizeof text) <= 0)
        return -1;
    after = strrchr(text, ')');
    if (!after ||
        sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu", &user,
               &system, &children_user, &children_system) != 4)
        return -1;
    times->own_ns = (user + system) * tick_ns;
    times->children_ns = (children_user + children_system) * tick_ns;
    return 0;
}

static int read_cpu(const struct heel_vantage *vantage, struct heel_census_process *process)
{
    struct times times;
    int host =
        vantage->holder ? process->pid : ioctl(vantage->pids, GET_TGID_FROM_PIDNS, process->pid);

    process->host = host > 0 ? host : 0;
    if (process->host > 0)
        return read_clock(process->host, &process->cpu_ns);
    if (read_times(vantage->proc, process->pid, &times))
        return -1;
    process->cpu_ns = times.own_ns;
    return 0;
}

/* ---- counting ---- */

/* -1 for one that is gone. */
static int look_at(const struct heel_vantage *vantage, pid_t pid,
                   struct heel_census_process *process)
{
    static long page;
    unsigned long long size, resident, shared;
    char text[128];

    if (page == 0)
        page = sysconf(_SC_PAGESIZE);
    *process = (struct heel_census_process){.pid = pid};
    if (read_file(vantage->proc, pid, "statm", text, sizeof text) <= 0 ||
        sscanf(text, "%llu %llu %llu", &size, &resident, &shared) != 3)
        return -1;
    process->living = size > 0;
    process->anonymous_bytes = (resident - shared) * (uint64_t)page;
    return read_cpu(vantage, process);
}

static void add(struct heel_census *census, struct heel_census_process process)
{
    if (census->count == census->capacity) {
        census->capacity = census->capacity * 2 + 16;
        census->processes =
            heel_xrealloc(census->processes, census->capacity, sizeof *census->processes);
    }
    census->processes[census->count++] = process;
    census->living += process.living;
}

static int compare(const void *left, const void *right)
{
    const struct heel_census_process *a = left, *b = right;

    return (a->pid > b->pid) - (a->pid < b->pid);
}

/* Both are sorted. A process whose time went back is another one with the same pid. */
static uint64_t gone_since(const struct heel_census *before, const struct heel_census *now)
{
    uint64_t gone_ns = 0;
    size_t at = 0;

    for (size_t i = 0; i < before->count; i++) {
        const struct heel_census_process *old = &before->processes[i];

        while (at < now->count && now->processes[at].pid < old->pid)
            at++;
        if (at == now->count || now->processes[at].pid != old->pid ||
            now->processes[at].cpu_ns < old->cpu_ns)
            gone_ns += old->cpu_ns;
    }
    return gone_ns;
}

/* A census that is being taken. */
struct taking {
    const struct heel_vantage *vantage;
    struct heel_census *now;
};

static void count_one(void *data, pid_t pid)
{
    const struct taking *taking = data;
    struct heel_census_process process;

    if (look_at(taking->vantage, pid, &process) == 0)
        add(taking->now, process);
}

/* The nursery's pid may belong to another process once it is dead: its pidfd tells. */
static int count_descendants(struct taking *taking)
{
    const struct heel_vantage *vantage = taking->vantage;
    struct pollfd nursery = {vantage->pids, POLLIN, 0};
    bool has_nursery = poll(&nursery, 1, 0) == 0;
    struct heel_pids pids = {0};

    heel_descendants_of(vantage->holder, &pids);
    for (size_t i = 0; i < pids.count; i++)
        if (!has_nursery || pids.items[i] != vantage->nursery)
            count_one(taking, pids.items[i]);
    heel_pids_clear(&pids);
    return 0;
}

int heel_census_take(const struct heel_vantage *vantage, struct heel_census *census)
{
    struct heel_census now = {0};
    struct taking taking = {vantage, &now};

    if (vantage->holder ? count_descendants(&taking)
                        : heel_proc_walk(vantage->proc, count_one, &taking))
        return -1;
    if (now.count > 0)
        qsort(now.processes, now.count, sizeof *now.processes, compare);
    now.gone_ns = census->gone_ns + gone_since(census, &now);
    heel_census_clear(census);
    *census = now;
    return 0;
}

void heel_census_clear(struct heel_census *census)
{
    free(census->processes);
    *census = (struct heel_census){0};
}

bool heel_census_stale(const struct heel_census *census)
{
    for (size_t i = 0; i < census->count; i++) {
        const struct heel_census_process *process = &census->processes[i];
        uint64_t now_ns;

        if (process->host == 0 || read_clock(process->host, &now_ns) || now_ns != process->cpu_ns)
            return true;
    }
    return false;
}

uint64_t heel_census_cpu_us(const struct heel_vantage *vantage, const struct heel_census *census)
{
    uint64_t seen_ns = census->gone_ns, waited_ns = 0;
    struct times times;

    if (read_times(vantage->proc, vantage->holder ? vantage->holder : INIT, &times) == 0)
        waited_ns = times.children_ns;
    for (size_t i = 0; i < census->count; i++) {
        seen_ns += census->processes[i].cpu_ns;
        waited_ns += census->processes[i].cpu_ns;
        if (read_times(vantage->proc, census->processes[i].pid, &times) == 0)
            waited_ns += times.children_ns;
    }
    return (seen_ns > waited_ns ? seen_ns : waited_ns) / 1000;
}
