#include "backends/linux/limits/quotas.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define SHARE 4 /* one sandbox gets one of so many parts */
#define PROCESSES_MAX 4096
#define OPEN_FILES_MIN 64
#define INSTANCES_MIN 8

/* They show the user namespace of whoever reads or writes them. */
#define INSTANCES "/proc/sys/user/max_inotify_instances"
#define WATCHES "/proc/sys/user/max_inotify_watches"

/* The number in a file of /proc/sys, or -1. */
static long read_number(int fd)
{
    char text[32];
    ssize_t length = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);

    if (length <= 0)
        return -1;
    text[length] = '\0';
    return strtol(text, NULL, 10);
}

/* The smaller of the user's maximum and that of this user namespace, as in a container. */
static long share_of_setting(const char *users, const char *namespaces)
{
    heel_autoclose int one = open(users, O_RDONLY | O_CLOEXEC);
    heel_autoclose int other = open(namespaces, O_RDONLY | O_CLOEXEC);
    long user = read_number(one), namespace = read_number(other);

    return (namespace < 0 || (user >= 0 && user < namespace) ? user : namespace) / SHARE;
}

/* RLIM_INFINITY is a big number. */
static rlim_t share_of_limit(int resource)
{
    struct rlimit limit;

    return getrlimit(resource, &limit) ? 0 : limit.rlim_max / SHARE;
}

/* Of few descriptors a part would be too few; more than the user may have can't be given. */
static rlim_t share_of_descriptors(void)
{
    rlim_t share = share_of_limit(RLIMIT_NOFILE), all = share * SHARE;

    if (share >= OPEN_FILES_MIN)
        return share;
    return all < OPEN_FILES_MIN ? all : OPEN_FILES_MIN;
}

void heel_quotas_read(struct heel_quotas *quotas)
{
    rlim_t processes = share_of_limit(RLIMIT_NPROC);

    *quotas = (struct heel_quotas){
        .open_files = share_of_descriptors(),
        .processes = processes < PROCESSES_MAX ? processes : PROCESSES_MAX,
        .pending_signals = share_of_limit(RLIMIT_SIGPENDING),
        .queue_bytes = share_of_limit(RLIMIT_MSGQUEUE),
        .inotify_instances = share_of_setting("/proc/sys/fs/inotify/max_user_instances", INSTANCES),
        .inotify_watches = share_of_setting("/proc/sys/fs/inotify/max_user_watches", WATCHES),
    };
    if (quotas->inotify_instances >= 0 && quotas->inotify_instances < INSTANCES_MIN)
        quotas->inotify_instances = INSTANCES_MIN;
}

static void lower(int resource, rlim_t value)
{
    struct rlimit limits = {value, value};

    setrlimit(resource, &limits);
}

void heel_quotas_limit(const struct heel_quotas *quotas)
{
    lower(RLIMIT_NPROC, quotas->processes);
    lower(RLIMIT_SIGPENDING, quotas->pending_signals);
    lower(RLIMIT_MSGQUEUE, quotas->queue_bytes);
}

/* A recycled namespace has the value already. */
static bool set(const char *path, long value)
{
    heel_autoclose int fd = open(path, O_RDWR | O_CLOEXEC);
    long now = read_number(fd);
    char text[32];
    int length;

    if (now == value)
        return true;
    length = snprintf(text, sizeof text, "%ld\n", value);
    return now >= 0 && pwrite(fd, text, (size_t)length, 0) == length;
}

bool heel_quotas_limit_namespace(const struct heel_quotas *quotas)
{
    /* A kernel without inotify has no such files, and nothing to be shared. */
    if (access("/proc/sys/fs/inotify", F_OK) != 0)
        return true;
    return set(INSTANCES, quotas->inotify_instances) && set(WATCHES, quotas->inotify_watches);
}
