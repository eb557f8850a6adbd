/* The processes of a pid namespace, as its /proc lists them. */
#ifndef HEEL_BACKENDS_LINUX_PROCESSES_PROC_WALK_H
#define HEEL_BACKENDS_LINUX_PROCESSES_PROC_WALK_H

#include <sys/types.h>

/* Runs `visit` for every process of the pid namespace but its init; `proc` is its /proc. What is
 * born meanwhile may be missing, and a pid may be another process's by the time it is used. 0, or
 * -1 with errno. */
int heel_proc_walk(int proc, void (*visit)(void *data, pid_t pid), void *data);

#endif
