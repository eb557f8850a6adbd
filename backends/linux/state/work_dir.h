/* The working directories that sandboxes have of their own, one folder each below their instance's.
 *
 * One that its sandbox never touched is used again: ext4 keeps new inodes away from recently
 * deleted ones and looks at each of those for every mkdir, which at some hundred sandboxes a second
 * makes a mkdir cost half a millisecond. */
#ifndef HEEL_BACKENDS_LINUX_STATE_WORK_DIR_H
#define HEEL_BACKENDS_LINUX_STATE_WORK_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "base/error.h"

struct heel_work_dir {
    char *path; /* owned; NULL: none */
    uid_t owner;
    struct timespec changed; /* its ctime when it was made */
};

/* Makes instance_path/NUMBER, mode 0700. 0, or -1 and *err. */
int heel_work_dir_make(const char *instance_path, unsigned long number, uid_t owner, gid_t group,
                       struct heel_work_dir *dir, struct heel_error **err);

/* Makes instance_path/NUMBER.own with two folders in it, HOME and TMPDIR of a sandbox that can't
 * have its own ones mounted. 0, or -1 and *err. */
#define HEEL_WORK_DIR_HOME "home"
#define HEEL_WORK_DIR_TEMP "tmp"
int heel_work_dir_make_own(const char *instance_path, unsigned long number, uid_t owner,
                           gid_t group, struct heel_work_dir *dir, struct heel_error **err);

/* Gives it the name of another sandbox: instance_path/NUMBER. 0, or -1 and *err. */
int heel_work_dir_move(struct heel_work_dir *dir, const char *instance_path, unsigned long number,
                       struct heel_error **err);

/* Takes its sandbox's name from it, so that nothing is where that was: instance_path/.spare-NUMBER.
 * 0, or -1 and *err. */
int heel_work_dir_set_aside(struct heel_work_dir *dir, struct heel_error **err);

/* Whether it is exactly as it was made: every change of its entries, mode, owner or attributes
 * would have changed its ctime, which nobody can set. */
bool heel_work_dir_untouched(const struct heel_work_dir *dir);

/* Removes it with everything in it. 0 and no path any more, or -1 and *err. */
int heel_work_dir_remove(struct heel_work_dir *dir, struct heel_error **err);

#define HEEL_WORK_DIRS_MAX 64

/* Untouched ones, set aside. Zero-initialised is empty. */
struct heel_work_dirs {
    struct heel_work_dir idle[HEEL_WORK_DIRS_MAX];
    size_t count;
    unsigned long last_number; /* of those made so far */
};

/* Takes one of this owner's. Whether there was one. */
bool heel_work_dirs_take(struct heel_work_dirs *dirs, uid_t owner, struct heel_work_dir *dir);

/* Takes over one that was set aside and leaves *dir without a path; leaves it as it is when there
 * are enough. */
void heel_work_dirs_give(struct heel_work_dirs *dirs, struct heel_work_dir *dir);

/* Whether another one would be too many, with some room for those that are on their way. */
static inline bool heel_work_dirs_full(const struct heel_work_dirs *dirs)
{
    return dirs->count + 8 >= HEEL_WORK_DIRS_MAX;
}

/* Forgets them; what lies on disk goes with the instance. */
void heel_work_dirs_forget(struct heel_work_dirs *dirs);

#endif
