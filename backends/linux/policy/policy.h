/* What an access in a sandbox would get, and why: told from its plan, with no sandbox made. */
#ifndef HEEL_BACKENDS_LINUX_POLICY_POLICY_H
#define HEEL_BACKENDS_LINUX_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "backends/backend.h"
#include "backends/linux/plan/plan.h"

/* One place of the host's file system, links not followed. */
struct heel_policy_node {
    mode_t mode; /* type and permissions; 0: nothing is there that the caller could see */
    uid_t uid;
    gid_t gid;
    bool read_only; /* by the host's own mount */
    bool no_execute;
    bool lendable; /* a mount of it can be id-mapped */
    char *link;    /* owned; what a symbolic link says */
};

/* What the plan's mounts show is asked for here, so that the verdict is a pure function and tests
 * can make hosts up. */
struct heel_policy_host {
    void (*look)(const struct heel_policy_host *host, const char *path,
                 struct heel_policy_node *node);
    const gid_t *groups; /* borrowed; supplementary groups that sandboxes keep */
    size_t group_count;
    uint64_t *effort; /* borrowed; what may still be looked at, see heel_policy_effort_for(); NULL:
                         whatever it takes */
    bool lends_root_files; /* in what a root caller named, root's files are the sandbox's inside,
                              where they can be */
};

/* What `test` would get, `verdict` is to be cleared. Access control lists, and what the sandbox has
 * done to files since it was made, are not looked at. */
void heel_policy_judge(const struct heel_plan *plan, const struct heel_policy_host *host,
                       const struct heel_policy_test *test, struct heel_policy_verdict *verdict);
void heel_policy_verdict_clear(struct heel_policy_verdict *verdict);

/* For so many tests, roughly in bytes of path that the kernel has to walk. Whoever asks, and code
 * in a sandbox whose complaints are looked into, can make trees and links in which one test takes
 * half a minute; what is on this side of it no honest question gets near. */
uint64_t heel_policy_effort_for(size_t test_count);

/* This host, seen with the rights of this thread. */
void heel_policy_look(const struct heel_policy_host *host, const char *path,
                      struct heel_policy_node *node);

/* The whole plan, mounts and rules, and what the seccomp filter says, in the order in which they
 * are applied. *entries and their texts are the caller's, to be freed by the function below. */
void heel_policy_list(const struct heel_plan *plan, struct heel_policy_entry **entries,
                      size_t *count);
void heel_policy_entries_free(struct heel_policy_entry *entries, size_t count);

#endif
