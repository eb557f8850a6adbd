#include "backends/linux/processes/origin.h"

#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define IOPRIO_OF_PROCESS 1
#define IOPRIO_CLASS_SHIFT 13
#define IOPRIO_REALTIME 1
#define LOCKED_MAX (8 << 20) /* the kernel's own default for RLIMIT_MEMLOCK */

/* Where the kernel looks for arguments and environment: fields 48 to 51 of /proc/self/stat
 * (proc(5)). */
struct origin {
    uintptr_t argument_start, argument_end, environment_start, environment_end;
};

static struct origin known;

static const char *skip_fields(const char *at, int count)
{
    while (at && count-- > 0) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    return at;
}

static int find_origin(struct origin *origin)
{
    char text[2048];
    heel_autoclose int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    const char *at;

    if (length <= 0)
        return -1;
    text[length] = '\0';
    /* The second field, in parentheses, may hold anything; the third comes two bytes after the last
     * one. */
    at = strrchr(text, ')');
    at = skip_fields(at ? at + 2 : NULL, 45);
    if (!at || sscanf(at, "%lu %lu %lu %lu", &origin->argument_start, &origin->argument_end,
                      &origin->environment_start, &origin->environment_end) != 4)
        return -1;
    return origin->argument_start && origin->argument_start < origin->argument_end ? 0 : -1;
}

static void wipe(uintptr_t from, uintptr_t to)
{
    if (from && from < to)
        memset((void *)from, 0, to - from);
}

void heel_process_rename(const char *name)
{
    size_t room = known.argument_end - known.argument_start;

    prctl(PR_SET_NAME, name);
    if (room < 2)
        return;
    /* The last byte stays NUL: otherwise the kernel reads on into the environment. */
    wipe(known.argument_start, known.argument_end);
    memcpy((void *)known.argument_start, name, strlen(name) < room ? strlen(name) : room - 1);
}

void heel_process_forget_origin(const char *name)
{
    clearenv();
    if (find_origin(&known) == 0)
        wipe(known.environment_start, known.environment_end);
    heel_process_rename(name);
}

static void lower_limit(int resource, rlim_t most)
{
    struct rlimit limits;

    if (getrlimit(resource, &limits))
        return;
    if (limits.rlim_cur > most)
        limits.rlim_cur = most;
    if (limits.rlim_max > most)
        limits.rlim_max = most;
    setrlimit(resource, &limits);
}

/* What is below zero keeps a process from being chosen when memory has run out. */
static void forget_score(void)
{
    char text[16] = "";
    heel_autoclose int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);

    if (fd >= 0 && read(fd, text, sizeof text - 1) > 0 && atoi(text) < 0 && write(fd, "0", 1) < 0)
        return; /* it can't fail: raising it is everybody's right */
}

void heel_process_forget_favours(void)
{
    const struct sched_param none = {0};

    if (sched_getscheduler(0) != SCHED_BATCH && sched_getscheduler(0) != SCHED_IDLE)
        sched_setscheduler(0, SCHED_OTHER, &none);
    if (getpriority(PRIO_PROCESS, 0) < 0)
        setpriority(PRIO_PROCESS, 0, 0);
    if (syscall(SYS_ioprio_get, IOPRIO_OF_PROCESS, 0) >> IOPRIO_CLASS_SHIFT == IOPRIO_REALTIME)
        syscall(SYS_ioprio_set, IOPRIO_OF_PROCESS, 0, 0);
    lower_limit(RLIMIT_RTPRIO, 0);
    lower_limit(RLIMIT_NICE, 0);
    lower_limit(RLIMIT_MEMLOCK, LOCKED_MAX);
    forget_score();
}

static int compare_ints(const void *left, const void *right)
{
    return *(const int *)left - *(const int *)right;
}

void heel_process_close_others(int *keep, size_t count)
{
    unsigned from = 3;

    qsort(keep, count, sizeof *keep, compare_ints);
    for (size_t i = 0; i < count; i++) {
        if (keep[i] < (int)from)
            continue;
        if (keep[i] > (int)from)
            close_range(from, (unsigned)keep[i] - 1, 0);
        from = (unsigned)keep[i] + 1;
    }
    close_range(from, ~0U, 0);
}
