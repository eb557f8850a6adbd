/* What the launcher has mounted again in sandboxes that run: by processes of their own, as whoever
 * enters a sandbox may be held up there, by a file system that does not answer. */
#ifndef HEEL_BACKENDS_LINUX_LAUNCHER_COVERS_H
#define HEEL_BACKENDS_LINUX_LAUNCHER_COVERS_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/linux/launcher/launched.h"
#include "backends/linux/plan/plan.h"

struct heel_cover {
    pid_t pid;
    uint32_t id;             /* the sandbox's */
    int mounts;              /* owned; its mount namespace */
    struct heel_mount mount; /* kind, flags and target, which is owned */
    bool again;              /* it was asked for once more meanwhile */
    unsigned failures;       /* one after the other */
};

struct heel_covers {
    struct heel_cover *items; /* owned */
    size_t count;
    size_t capacity;
};

/* Has `mount` made again, where its kind, flags and target count. What is being made already is
 * made once more afterwards, so that somebody who replaces a file without end has one process at a
 * time. Takes `mounts` over. 0; or -1: it can't be done. */
int heel_covers_start(struct heel_covers *covers, const struct heel_launched *launched, int mounts,
                      const struct heel_mount *mount);

/* Whether `pid` was one. *failed is the sandbox in which something stays uncovered, or 0. */
bool heel_covers_reaped(struct heel_covers *covers, struct heel_launched_list *launched, pid_t pid,
                        int status, uint32_t *failed);

/* Kills them all, and leaves them to be waited for. */
void heel_covers_kill(const struct heel_covers *covers);

#endif
