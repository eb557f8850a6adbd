/* What descends from this process, in a pid namespace that it shares with the host. It must be a
 * child subreaper: then nothing that descends from it, however it detached itself, gets away. */
#ifndef HEEL_BACKENDS_LINUX_PROCESSES_DESCENDANTS_H
#define HEEL_BACKENDS_LINUX_PROCESSES_DESCENDANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Whether the kernel lists a process's children (CONFIG_PROC_CHILDREN), without which nothing here
 * works. */
bool heel_descendants_supported(void);

struct heel_pids {
    pid_t *items; /* owned */
    size_t count;
    size_t capacity;
};

void heel_pids_append(struct heel_pids *pids, pid_t pid);
bool heel_pids_have(const struct heel_pids *pids, pid_t pid);
/* Those that are among the others. */
void heel_pids_remove(struct heel_pids *pids, const struct heel_pids *others);
void heel_pids_clear(struct heel_pids *pids);

/* Appends this process's children; what is born or orphaned meanwhile may be missing, and, where
 * some die, others as well: the kernel counts on. */
void heel_children_list(struct heel_pids *pids);

/* Appends all that descends from it, likewise. A pid other than a child's may have become another
 * process's by the time it is used: open a pidfd of it, and ask heel_is_descendant() then. */
void heel_descendants_list(struct heel_pids *pids);
/* All that descends from another process. */
void heel_descendants_of(pid_t root, struct heel_pids *pids);
bool heel_is_descendant(pid_t pid);

/* Sends it a signal, if it is one. */
void heel_descendant_signal(pid_t pid, int number);

/* SIGKILL to each child for which `spares` (NULL: none) is false, and to the process groups that
 * they lead. They leave their own children to this process: reap, and call again until there are
 * none. How many were hit. */
size_t heel_children_kill(bool (*spares)(const void *data, pid_t pid), const void *data);

#endif
