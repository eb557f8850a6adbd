/* A host path that a caller named: resolved once, with the caller's own rights, and pinned by
 * device and inode. */
#ifndef HEEL_BACKENDS_LINUX_FACTS_CALLER_PATH_H
#define HEEL_BACKENDS_LINUX_FACTS_CALLER_PATH_H

#include <linux/capability.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "backends/backend.h"
#include "base/error.h"

/* A symbolic link that was followed on the way. */
struct heel_caller_link {
    char *path; /* owned; canonical but for its last component */
    char *text; /* owned; where it leads, as it says */
};

struct heel_caller_path {
    char *path; /* owned; canonical: no links, no dots */
    uint64_t device;
    uint64_t inode;
    mode_t mode;
    struct heel_caller_link *links; /* owned */
    size_t link_count;
};

/* Resolves `path` and checks that `caller` could open it for `access` (bits of enum heel_access;
 * for DENY it only has to be there). A link in a directory that the caller or `sandbox_uid` may
 * write to is refused for every grant: an earlier run may have planted it, and reading where it
 * leads is as good as a secret told. 0, or -1 and *err with reason PATH_NOT_FOUND,
 * PATH_NOT_ACCESSIBLE or INVALID_FIELD and no field; resolved->path is set all the same if the path
 * led somewhere. `resolved` is to be cleared in both cases. */
int heel_caller_path_resolve(const char *path, const struct heel_caller *caller, unsigned access,
                             uid_t sandbox_uid, struct heel_caller_path *resolved,
                             struct heel_error **err);
void heel_caller_path_clear(struct heel_caller_path *resolved);

/* While heeld or the launcher runs as root: this thread's file system identity becomes the
 * caller's, and no capability acts. Otherwise nothing changes. 0, or -1 and *err, also when a
 * caller who is neither root nor this process's own user asks. */
struct heel_saved_identity {
    int changed;
    struct __user_cap_data_struct capabilities[_LINUX_CAPABILITY_U32S_3];
    int group_count;
    gid_t *groups; /* owned */
};
int heel_caller_assume(const struct heel_caller *caller, struct heel_saved_identity *saved,
                       struct heel_error **err);
void heel_caller_restore(struct heel_saved_identity *saved);

#endif
