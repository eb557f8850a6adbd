/* What sandboxes keep on disk.
 *
 *     STATE/instances/RANDOM/NUMBER   the working directory of one sandbox, for as long as it
 * lives; .spare-NUMBER waits for another sandbox (work_dir.h) STATE/kept/ID-RANDOM working
 * directories that outlive their sandbox, because the spec said so
 *
 * The folder of an instance is held by flock as long as heeld or its launcher lives; one that
 * nobody holds was left by both being killed, and the next start removes it. */
#ifndef HEEL_BACKENDS_LINUX_STATE_STATE_DIR_H
#define HEEL_BACKENDS_LINUX_STATE_STATE_DIR_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct heel_state_instance {
    char *path; /* owned */
    int fd;     /* owned; the folder itself, locked */
};

/* Makes STATE (and what is missing above it) and an instance in it. As root others may pass through
 * the folders, because sandboxes have uids of their own, but not list them. Refuses a STATE that
 * others could write to. 0, or -1 and *err. */
int heel_state_instance_open(const char *state_dir, struct heel_state_instance *instance,
                             struct heel_error **err);

/* Removes the instances that nobody holds any more. Errors are left for the next sweep. Whether
 * there are others than `own` (a path, or NULL) that somebody holds. */
bool heel_state_sweep(const char *state_dir, const char *own);

/* Makes a working directory that is to be kept; it becomes `owner`'s. Its path is the caller's. 0,
 * or -1 and *err. */
int heel_state_make_kept(const char *state_dir, const char *id, uid_t owner, gid_t group,
                         char **work, struct heel_error **err);

#endif
