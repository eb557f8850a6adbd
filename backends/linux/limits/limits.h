/* What each of a sandbox's limits comes down to. Some the kernel holds for each process (rlimits);
 * what all of them use together has to be measured, or is held by a cgroup. */
#ifndef HEEL_BACKENDS_LINUX_LIMITS_LIMITS_H
#define HEEL_BACKENDS_LINUX_LIMITS_LIMITS_H

#include <stdbool.h>
#include <sys/resource.h>

#include "backends/backend.h"
#include "backends/linux/limits/quotas.h"
#include "backends/linux/processes/spawn.h"

/* Processes and threads together, where so many processes may be. */
rlim_t heel_limits_tasks(uint64_t max_processes);

/* The rlimits that a command gets. Init itself may open more files; its other limits are those of
 * `quotas`. */
void heel_limits_for_commands(const struct heel_limits *limits, const struct heel_quotas *quotas,
                              struct heel_spawn_limits *to);

/* Whether a sandbox's use has to be measured, of processes or of its working directory. */
bool heel_limits_measure_processes(const struct heel_limits *limits);
bool heel_limits_measure_disk(const struct heel_limits *limits);

/* The limit whose signal (SIGXCPU, SIGXFSZ, …) ended a process, or HEEL_LIMIT_NONE. */
enum heel_limit heel_limits_behind_signal(const struct heel_limits *limits, int signal_number);

#endif
