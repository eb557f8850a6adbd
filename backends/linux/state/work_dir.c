#include "backends/linux/state/work_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "backends/linux/state/remove_tree.h"
#include "base/text.h"

/* mkdir whose mode no umask changes. */
static int make(const char *path, uid_t owner, gid_t group, struct stat *made)
{
    if (mkdir(path, 0700) || chmod(path, 0700))
        return -1;
    if (owner != geteuid() && chown(path, owner, group)) {
        int why = errno;

        rmdir(path);
        errno = why;
        return -1;
    }
    return lstat(path, made);
}

static int make_in(const char *parent, const char *name, uid_t owner, gid_t group,
                   struct heel_error **err)
{
    heel_autofree char *path = heel_format("%s/%s", parent, name);
    struct stat made;

    if (make(path, owner, group, &made))
        return heel_error_set_errno(err, errno, "cannot make the folder %s", path);
    return 0;
}

int heel_work_dir_make_own(const char *instance_path, unsigned long number, uid_t owner,
                           gid_t group, struct heel_work_dir *dir, struct heel_error **err)
{
    heel_autofree char *path = heel_format("%s/%lu.own", instance_path, number);
    struct stat made;

    if (make(path, owner, group, &made))
        return heel_error_set_errno(err, errno, "cannot make the folder %s", path);
    *dir = (struct heel_work_dir){heel_xstrdup(path), owner, made.st_ctim};
    if (make_in(path, HEEL_WORK_DIR_HOME, owner, group, err) ||
        make_in(path, HEEL_WORK_DIR_TEMP, owner, group, err))
        return -1;
    return 0;
}

int heel_work_dir_make(const char *instance_path, unsigned long number, uid_t owner, gid_t group,
                       struct heel_work_dir *dir, struct heel_error **err)
{
    heel_autofree char *path = heel_format("%s/%lu", instance_path, number);
    struct stat made;

    if (make(path, owner, group, &made))
        return heel_error_set_errno(err, errno, "cannot make the working directory %s", path);
    *dir = (struct heel_work_dir){heel_steal(path), owner, made.st_ctim};
    return 0;
}

/* A change of its name is one of its ctime, too. */
static int move_to(struct heel_work_dir *dir, char *path, struct heel_error **err)
{
    heel_autofree char *to = path;
    struct stat moved;

    if (rename(dir->path, to) || lstat(to, &moved))
        return heel_error_set_errno(err, errno, "cannot move %s to %s", dir->path, to);
    free(dir->path);
    dir->path = heel_steal(to);
    dir->changed = moved.st_ctim;
    return 0;
}

int heel_work_dir_move(struct heel_work_dir *dir, const char *instance_path, unsigned long number,
                       struct heel_error **err)
{
    return move_to(dir, heel_format("%s/%lu", instance_path, number), err);
}

int heel_work_dir_set_aside(struct heel_work_dir *dir, struct heel_error **err)
{
    const char *name = strrchr(dir->path, '/') + 1;

    return move_to(dir, heel_format("%.*s.spare-%s", (int)(name - dir->path), dir->path, name),
                   err);
}

static bool is_empty(const char *path)
{
    DIR *stream = opendir(path);
    int entries = 0;

    if (!stream)
        return false;
    while (entries <= 2 && readdir(stream)) /* "." and ".." */
        entries++;
    closedir(stream);
    return entries == 2;
}

/* Before Linux 6.13 the ctime has the coarseness of a clock tick, so a change right after the
 * making may not show in it: hence the rest. */
bool heel_work_dir_untouched(const struct heel_work_dir *dir)
{
    struct stat now;

    if (!is_empty(dir->path))
        return false;

    return lstat(dir->path, &now) == 0 && now.st_ctim.tv_sec == dir->changed.tv_sec &&
           now.st_ctim.tv_nsec == dir->changed.tv_nsec && now.st_uid == dir->owner &&
           now.st_mode == (S_IFDIR | 0700) && now.st_mtim.tv_sec <= now.st_ctim.tv_sec &&
           now.st_nlink <= 2 && llistxattr(dir->path, NULL, 0) <= 0;
}

int heel_work_dir_remove(struct heel_work_dir *dir, struct heel_error **err)
{
    heel_autofree char *parent = heel_xstrdup(dir->path);
    char *slash = strrchr(parent, '/');
    heel_autoclose int fd = -1;

    *slash = '\0';
    fd = open(parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT) /* the launcher removes the whole instance when it leaves */
        return heel_error_set_errno(err, errno, "cannot open %s", parent);
    if (fd >= 0 && heel_remove_tree(fd, slash + 1, err))
        return -1;
    free(heel_steal(dir->path));
    return 0;
}

bool heel_work_dirs_take(struct heel_work_dirs *dirs, uid_t owner, struct heel_work_dir *dir)
{
    for (size_t i = dirs->count; i-- > 0;) {
        if (dirs->idle[i].owner != owner)
            continue;
        *dir = dirs->idle[i];
        dirs->idle[i] = dirs->idle[--dirs->count];
        return true;
    }
    return false;
}

void heel_work_dirs_give(struct heel_work_dirs *dirs, struct heel_work_dir *dir)
{
    if (dirs->count == HEEL_WORK_DIRS_MAX)
        return;
    dirs->idle[dirs->count++] = *dir;
    *dir = (struct heel_work_dir){0};
}

void heel_work_dirs_forget(struct heel_work_dirs *dirs)
{
    while (dirs->count > 0)
        free(dirs->idle[--dirs->count].path);
}
