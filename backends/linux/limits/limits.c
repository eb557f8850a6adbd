#include "backends/linux/limits/limits.h"

#include <signal.h>

/* Where the kernel counts threads as well and processes alone are meant. */
#define TASKS_PER_PROCESS 16
#define TASKS_EXTRA 64

static rlim_t lower(rlim_t left, rlim_t right)
{
    return left < right ? left : right;
}

rlim_t heel_limits_tasks(uint64_t max_processes)
{
    return max_processes * TASKS_PER_PROCESS + TASKS_EXTRA;
}

static void add(struct heel_spawn_limits *to, int resource, rlim_t value)
{
    to->items[to->count++] = (struct heel_spawn_limit){resource, value};
}

/* No file may be larger than all of them together. 0: as large as it likes. */
static uint64_t file_size(const struct heel_limits *limits)
{
    uint64_t size = limits->max_file_size_bytes;

    if (limits->disk_bytes > 0 && (size == 0 || limits->disk_bytes < size))
        size = limits->disk_bytes;
    return size;
}

void heel_limits_for_commands(const struct heel_limits *limits, const struct heel_quotas *quotas,
                              struct heel_spawn_limits *to)
{
    *to = (struct heel_spawn_limits){.group = -1,
                                     .processors = (limits->cpu_share_milli + 999) / 1000};
    /* A command gets fewer descriptors than init: the limit also bounds descriptors in flight per
     * user, and init must be able to pass one when the user's other sandboxes have used up theirs.
     */
    add(to, RLIMIT_NOFILE,
        limits->max_open_files > 0 ? lower(limits->max_open_files, quotas->open_files)
                                   : quotas->open_files);
    if (limits->max_processes > 0)
        add(to, RLIMIT_NPROC, lower(heel_limits_tasks(limits->max_processes), quotas->processes));
    if (file_size(limits) > 0)
        add(to, RLIMIT_FSIZE, file_size(limits));
}

bool heel_limits_measure_processes(const struct heel_limits *limits)
{
    return limits->memory_bytes > 0 || limits->cpu_time_us > 0 || limits->max_processes > 0 ||
           heel_limits_measure_disk(limits);
}

bool heel_limits_measure_disk(const struct heel_limits *limits)
{
    return limits->disk_bytes > 0 || limits->disk_inodes > 0;
}

enum heel_limit heel_limits_behind_signal(const struct heel_limits *limits, int signal_number)
{
    if (signal_number != SIGXFSZ || file_size(limits) == 0)
        return HEEL_LIMIT_NONE;
    return file_size(limits) == limits->max_file_size_bytes ? HEEL_LIMIT_FILE_SIZE
                                                            : HEEL_LIMIT_DISK_BYTES;
}
