/* Puts itself before everybody else: realtime, niceness, disk. */
#include "tests/confinement/probes/probe.h"

#include <sched.h>
#include <sys/resource.h>

#define IOPRIO_REALTIME (1L << 13)

static int policy(int which)
{
    struct sched_param one = {1};

    return sched_setscheduler(0, which, &one) == 0 ? 0 : errno;
}

static int fifo(void)
{
    return policy(SCHED_FIFO);
}

static int round_robin(void)
{
    return policy(SCHED_RR);
}

static int deadline(void)
{
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes = {sizeof attributes, 6, 0, 0, 0, 1000000, 1000000000, 1000000000};

    return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0 ? 0 : errno;
}

static int less_nice(void)
{
    return setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) - 1) == 0 ? 0 : errno;
}

static int disk(void)
{
    return syscall(SYS_ioprio_set, 1, 0, IOPRIO_REALTIME) == 0 ? 0 : errno;
}

static int raise_limit(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_RTPRIO, &limit);
    limit.rlim_max++;
    return setrlimit(RLIMIT_RTPRIO, &limit) == 0 ? 0 : errno;
}

int main(void)
{
    probe_child("SCHED_FIFO", fifo);
    probe_child("SCHED_RR", round_robin);
    probe_child("SCHED_DEADLINE", deadline);
    probe_child("nice", less_nice);
    probe_child("disk first", disk);
    probe_child("RLIMIT_RTPRIO", raise_limit);
    return probe_end();
}
