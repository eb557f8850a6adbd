/* Changes limits, priorities and processors of init (outside: the victim). */
#include "tests/confinement/probes/probe.h"

#include <sched.h>
#include <sys/resource.h>

#define IOPRIO_IDLE (3L << 13)

static void try_write(const char *name, const char *text)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "/proc/%d/%s", probe_number("TARGET_PID"), name);
    fd = open(path, O_WRONLY);
    probe_call(name, fd < 0 ? -1 : write(fd, text, strlen(text)));
    if (fd >= 0)
        close(fd);
}

int main(void)
{
    pid_t target = probe_number("TARGET_PID");
    struct rlimit limit = {0};
    cpu_set_t set;
    struct sched_param zero = {0};
    unsigned attributes[14] = {sizeof attributes, SCHED_BATCH};

    probe_call("prlimit, reading", prlimit(target, RLIMIT_NOFILE, NULL, &limit));
    limit.rlim_cur = 64;
    probe_call("prlimit, writing", prlimit(target, RLIMIT_NOFILE, &limit, NULL));
    probe_call("setpriority", setpriority(PRIO_PROCESS, (id_t)target, 1));
    probe_call("setpriority of a group", setpriority(PRIO_PGRP, (id_t)target, 1));
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    probe_call("sched_setaffinity", sched_setaffinity(target, sizeof set, &set));
    probe_call("sched_setscheduler", sched_setscheduler(target, SCHED_BATCH, &zero));
    probe_call("sched_setparam", sched_setparam(target, &zero));
    probe_call("sched_setattr", syscall(SYS_sched_setattr, target, attributes, 0));
    probe_call("ioprio_set", syscall(SYS_ioprio_set, 1, target, IOPRIO_IDLE));
    probe_call("ioprio_set of a group", syscall(SYS_ioprio_set, 2, target, IOPRIO_IDLE));
    probe_permission("migrate_pages", syscall(SYS_migrate_pages, target, 0UL, NULL, NULL));
    try_write("oom_score_adj", "1000");
    try_write("coredump_filter", "1");
    try_write("timerslack_ns", "1000000");
    try_write("autogroup", "1");
    return probe_end();
}
