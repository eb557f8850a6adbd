/* What processes and the kernel use, from /proc. */
#ifndef HEEL_TESTS_BENCH_PROCFS_H
#define HEEL_TESTS_BENCH_PROCFS_H

#include <stdbool.h>
#include <sys/types.h>

/* In KiB. */
struct memory {
    double rss;
    double pss;
    bool pss_is_known; /* false: `pss` is what isn't shared with files, which the kernel tells of
                          any process; PSS it tells only whoever may debug that process */
};

/* All 0 if there is no such process. */
struct memory procfs_memory_of(pid_t pid);

/* A process and all below it. `rss` is 0. */
struct memory procfs_memory_of_tree(pid_t pid);

/* The children of a process, without itself and what is below them. `rss` is 0. */
struct memory procfs_memory_of_children(pid_t pid);

/* How many processes are below `pid`, at any depth. */
size_t procfs_count_below(pid_t pid);

/* The first child, or -1. */
pid_t procfs_first_child(pid_t pid);

/* CPU time of a process and of all its children that it has waited for, in milliseconds; 0 if there
 * is no such process. The kernel counts it in ticks, so it takes many of what is measured. */
double procfs_cpu_ms(pid_t pid);

/* How many descriptors a process may have; 0 if there is no such process. */
size_t procfs_open_files_limit(pid_t pid);

/* A line of /proc/meminfo, in KiB; `name` as in "Slab". 0 if there is none. */
double procfs_meminfo(const char *name);

#endif
