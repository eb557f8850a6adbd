/* Control groups, version 2: where this server has a part of the tree to itself, each sandbox with
 * limits gets a group of its own in it, and the kernel holds its memory, tasks and share of the
 * processors.
 *
 * Groups are made by the launcher, who gives heeld a descriptor of the group's directory. There
 * heeld reads what was used, and whether anything was killed. Init stays outside, so that it is
 * nothing to the kernel that could be killed when memory runs out; it has a descriptor from heeld
 * by which each command joins before it is anything but a copy of init. */
#ifndef HEEL_BACKENDS_LINUX_LIMITS_CGROUP_H
#define HEEL_BACKENDS_LINUX_LIMITS_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "backends/backend.h"

/* The part of the tree in which groups are made. */
struct heel_cgroups {
    int base;  /* owned; -1: there is none */
    char *why; /* owned; why there is none; NULL if there is */
};

/* Finds it, for the processes `self` (this one) and `parent`: they are moved aside into a group of
 * their own, since one that has processes can't have limited groups in it. `root` is where the tree
 * is mounted, "/sys/fs/cgroup" but for tests, and `own` what /proc/self/cgroup says. Without one
 * all is as before. */
void heel_cgroups_open(const char *root, const char *own, pid_t self, pid_t parent,
                       struct heel_cgroups *cgroups);
void heel_cgroups_close(struct heel_cgroups *cgroups);

/* Whether a cgroup would enforce any of the limits. */
bool heel_cgroup_is_wanted(const struct heel_limits *limits);

/* Makes the group called `id`, with the limits. Its directory, or -1 with errno and nothing left of
 * it. */
int heel_cgroup_make(const struct heel_cgroups *cgroups, uint32_t id,
                     const struct heel_limits *limits);

/* Removes the group called `id`; every process in it must be dead. */
void heel_cgroup_remove(const struct heel_cgroups *cgroups, uint32_t id);

/* Opens the group's cgroup.procs. A process that writes "0" to it joins the group, whatever its own
 * rights: the kernel checks those of whoever opened it. -1 with errno. */
int heel_cgroup_open_door(int group);

/* Reads the number behind `name` in a file of name-value lines ("memory.events") in the group's
 * directory. 0 where there is none. */
uint64_t heel_cgroup_read(int group, const char *file, const char *name);
void heel_cgroup_set_memory(int group, uint64_t bytes);

#endif
