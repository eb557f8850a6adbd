/* The birth of a sandbox's init: from the launcher into a namespace pair and fresh mount, pid, ipc,
 * uts and cgroup namespaces. */
#ifndef HEEL_BACKENDS_LINUX_PROCESSES_BIRTH_H
#define HEEL_BACKENDS_LINUX_PROCESSES_BIRTH_H

#include <stddef.h>
#include <sys/types.h>

#include "backends/linux/processes/namespaces.h"
#include "base/error.h"

struct heel_birth {
    const struct heel_namespace_pair *pair; /* borrowed */
    int mounts; /* borrowed; a template's mount namespace, to be copied; -1: this process's is */
    void (*init)(void *data); /* pid 1's program; must not return */
    void *data;
};

struct heel_newborn {
    pid_t pid; /* a child of this process */
    int pidfd; /* owned */
};

/* 0, or -1 and *err. Single-threaded processes only. */
int heel_birth_give(const struct heel_birth *birth, struct heel_newborn *newborn,
                    struct heel_error **err);

#endif
