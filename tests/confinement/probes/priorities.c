/* Puts itself before everybody else: realtime, niceness, memory that stays when others are killed
 * for it. */
#include "tests/confinement/probes/probe.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define LOCKED (64UL << 20)
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

static int lock_memory(void)
{
    void *at = mmap(NULL, LOCKED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return at != MAP_FAILED && mlock(at, LOCKED) == 0 ? 0 : errno;
}

static int survive(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY);

    return fd >= 0 && write(fd, "-999", 4) == 4 ? 0 : errno;
}

static int survive_a_little(void)
{
    char text[16] = "";
    int fd = open("/proc/self/oom_score_adj", O_RDWR);
    ssize_t length = read(fd, text, sizeof text - 1);

    if (length <= 0)
        return errno;
    length = snprintf(text, sizeof text, "%d", atoi(text) - 1);
    return write(fd, text, (size_t)length) == length ? 0 : errno;
}

static int page_zero(void)
{
    return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED
               ? errno
               : 0;
}

int main(void)
{
    probe_child("SCHED_FIFO", fifo);
    probe_child("SCHED_RR", round_robin);
    probe_child("SCHED_DEADLINE", deadline);
    probe_child("nice", less_nice);
    probe_child("disk first", disk);
    probe_child("RLIMIT_RTPRIO", raise_limit);
    probe_child("64 MiB locked", lock_memory);
    probe_child("oom_score_adj -999", survive);
    probe_child("oom_score_adj one less", survive_a_little);
    probe_child("page zero", page_zero);
    return probe_end();
}
