/* What the kernel says of one process in a line, whose second field may hold anything. */
#ifndef HEEL_BACKENDS_LINUX_PROCESSES_PROCESS_STAT_H
#define HEEL_BACKENDS_LINUX_PROCESSES_PROCESS_STAT_H

#include <stdbool.h>
#include <sys/types.h>

struct heel_process_stat {
    char state; /* as in proc(5) */
    pid_t parent;
    pid_t group;
};

/* Of a process in the pid namespace of `proc`, a /proc; AT_FDCWD: this process's. False if it is
 * gone. */
bool heel_process_stat_read(int proc, pid_t pid, struct heel_process_stat *stat);

static inline bool heel_process_is_stopped(const struct heel_process_stat *stat)
{
    return stat->state == 'T' || stat->state == 't';
}

/* It is in the kernel and not to be disturbed: it waits for a disk, say, or for the child of a
 * vfork. It will run no code of its own before it stops, but it may be forking. */
static inline bool heel_process_is_held(const struct heel_process_stat *stat)
{
    return stat->state == 'D';
}

static inline bool heel_process_runs(const struct heel_process_stat *stat)
{
    return stat->state == 'R' || stat->state == 'S';
}

#endif
