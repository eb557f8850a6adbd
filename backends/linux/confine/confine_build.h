/* What makes a sandbox's mounts, shared by those who make all of them (confine_mounts.c) and those
 * who make them in two parts (confine_template.c). */
#ifndef HEEL_BACKENDS_LINUX_CONFINE_CONFINE_BUILD_H
#define HEEL_BACKENDS_LINUX_CONFINE_CONFINE_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "backends/linux/plan/plan.h"

#define HEEL_COVERS ".mask" /* holds what covers other things; seen inside as /.mask, read-only */

struct heel_mount_builder {
    const struct heel_plan *plan;
    const int *mount_fds; /* borrowed; NULL or one per mount */
    /* Which of the mounts are made; NULL: all. */
    bool (*wanted)(const struct heel_plan *plan, const struct heel_mount *mount);
    int root;             /* owned; the new root */
    int scratch;          /* borrowed; where the sources of SCRATCH are made */
    int works;            /* borrowed; where working directories of the sandbox's own are found by
                             their last name; -1: at their sources */
    int covers_directory; /* owned; HEEL_COVERS before it was made read-only */
    unsigned covers;      /* files made to cover others, so far */
};

/* Each: 0, or -1 and *err. In this order: the root and its HEEL_COVERS, what the system shows, the
 * other mounts; then what was made becomes the root. */
int heel_mounts_make_root(struct heel_mount_builder *builder, struct heel_error **err);
int heel_mounts_make_base(struct heel_mount_builder *builder, struct heel_error **err);
int heel_mounts_make_rest(struct heel_mount_builder *builder, struct heel_error **err);
int heel_mounts_enter_root(struct heel_mount_builder *builder, struct heel_error **err);

/* A mount of a new file system with these options, ended by NULLs, attached nowhere. -1 and errno.
 */
int heel_mounts_new_filesystem(const char *type, const char *const (*options)[2],
                               unsigned attributes);
/* An empty directory or file at `target`, with its parents, unless something is there. -1 and
 * errno.
 */
int heel_mounts_make_place(int root, const char *target, bool directory, mode_t mode);

#endif
