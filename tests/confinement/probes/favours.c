/* Looks for what a service may have been given, and its sandboxes are not to have. */
#include "tests/confinement/probes/probe.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define REALTIME_DISK 1
#define LOCKED_MAX (8UL << 20) /* the kernel's own default */

static void judge(const char *way, bool held, long found)
{
    if (held)
        probe_shut(way, "%ld", found);
    else
        probe_open(way, "%ld", found);
}

static long limit_of(__rlimit_resource_t resource)
{
    struct rlimit limit;

    return getrlimit(resource, &limit) == 0 ? (long)limit.rlim_max : -1;
}

static void look_for_ignored(void)
{
    struct sigaction action;
    int ignored = 0;

    for (int i = 1; i < _NSIG; i++)
        if (sigaction(i, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            ignored = i;
    judge("ignored signals", ignored == 0, ignored);
}

static void look_for_score(void)
{
    char text[16] = "";
    int fd = open("/proc/self/oom_score_adj", O_RDONLY);

    if (read(fd, text, sizeof text - 1) > 0)
        judge("oom_score_adj", atoi(text) >= 0, atoi(text));
    close(fd);
}

int main(void)
{
    extern char **environ;
    long disk = syscall(SYS_ioprio_get, 1, 0) >> 13;
    mode_t mask = umask(022);
    sigset_t blocked;
    bool told = false;

    judge("niceness", getpriority(PRIO_PROCESS, 0) >= 0, getpriority(PRIO_PROCESS, 0));
    judge("scheduler", sched_getscheduler(0) == SCHED_OTHER, sched_getscheduler(0));
    judge("disk", disk != REALTIME_DISK, disk);
    judge("RLIMIT_RTPRIO", limit_of(RLIMIT_RTPRIO) == 0, limit_of(RLIMIT_RTPRIO));
    judge("RLIMIT_NICE", limit_of(RLIMIT_NICE) == 0, limit_of(RLIMIT_NICE));
    judge("RLIMIT_MEMLOCK", (unsigned long)limit_of(RLIMIT_MEMLOCK) <= LOCKED_MAX,
          limit_of(RLIMIT_MEMLOCK));
    judge("umask", mask == 022, (long)mask);
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    judge("blocked signals", sigisemptyset(&blocked) == 1, 0);
    look_for_ignored();
    look_for_score();
    for (char **at = environ; *at; at++)
        told |= strstr(*at, "API_TOKEN") != NULL;
    judge("environment", !told, told);
    return probe_end();
}
