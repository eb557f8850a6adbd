/* Finding every process that descends from a command, however it detached itself.
 *
 * Each command carries a tag: its RLIMIT_LOCKS, soft and hard, which the kernel has not enforced
 * since 2.4, but hands to every descendant, and which can be lowered but never raised. Sessions,
 * process groups and parents can all be left; this cannot. A tag holds a number and a keyed hash of
 * it, so that one which was tampered with is known without a list of those that were ever given. */
#ifndef HEEL_BACKENDS_LINUX_PROCESSES_TREE_H
#define HEEL_BACKENDS_LINUX_PROCESSES_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "backends/linux/processes/pause.h"

struct heel_tree_tags {
    uint64_t key[2]; /* random */
    uint32_t next;
    bool shared; /* the pid namespace is the host's: only what descends from the caller, a child
                    subreaper, is looked at */
};

/* Draws the key. 0, or -1 with errno. */
int heel_tree_tags_init(struct heel_tree_tags *tags);

/* A tag that none had before, of 62 bits. */
uint64_t heel_tree_tag_next(struct heel_tree_tags *tags);
bool heel_tree_tag_valid(const struct heel_tree_tags *tags, uint64_t tag);

/* The tag of a process, in the pid namespace of `proc`. False if it has none, or is gone. */
bool heel_tree_tag_read(int proc, pid_t pid, uint64_t *tag);

/* Makes `tag` the calling process's. 0, or -1 with errno. Async-signal-safe. */
int heel_tree_tag_take(uint64_t tag);

/* All that descends from a command, in this pid namespace: every process with its tag, or with one
 * that was tampered with. The caller itself has none and is safe. All is borrowed. */
struct heel_tree {
    const struct heel_tree_tags *tags;
    uint64_t tag;
    int proc;                       /* this pid namespace's /proc */
    const struct heel_pause *pause; /* the sandbox's */
};

/* SIGKILL to the process group of `leader`, and then to the tree until none is left, however fast
 * they fork: for that the sandbox may stand still for a moment. 0; -1 if some still live after ten
 * seconds. */
int heel_tree_kill(const struct heel_tree *tree, pid_t leader);

/* SIGSTOP to the tree until all of it stands still, likewise. False where that could not be done.
 * In a sandbox that isn't paused. */
bool heel_tree_stop(const struct heel_tree *tree);

/* Sends each a signal that there is at the moment; one that is just being forked may escape it. */
void heel_tree_signal(const struct heel_tree *tree, int number);

/* Appends each that there is at the moment. */
void heel_tree_list(const struct heel_tree *tree, struct heel_pids *pids);

#endif
