#include "backends/linux/state/state_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/linux/state/remove_tree.h"
#include "base/text.h"

#define INSTANCE_TRIES 16

static mode_t folder_mode(void)
{
    return geteuid() == 0 ? 0711 : 0700;
}

static char *random_name(void)
{
    uint64_t bits = 0;

    if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        abort();
    return heel_format("%016llx", (unsigned long long)bits);
}

/* mkdir whose mode no umask changes. */
static int make_folder(const char *path, mode_t mode)
{
    if (mkdir(path, mode))
        return -1;
    return chmod(path, mode);
}

static int make_parents(const char *path, struct heel_error **err)
{
    heel_autofree char *partial = heel_xstrdup(path);

    for (char *slash = strchr(partial + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(partial, 0755) && errno != EEXIST && errno != EROFS && errno != EACCES)
            return heel_error_set_errno(err, errno, "cannot make the folder %s", partial);
        *slash = '/';
    }
    return 0;
}

/* A directory in which others can't rename entries: they could put another directory in the place
 * of a sandbox's. */
static int ensure_own(const char *path, struct heel_error **err)
{
    struct stat status;

    if (make_folder(path, folder_mode()) && errno != EEXIST)
        return heel_error_set_errno(err, errno, "cannot make the state folder %s", path);
    if (lstat(path, &status))
        return heel_error_set_errno(err, errno, "cannot use the state folder %s", path);
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 022))
        return heel_error_set(err, HEEL_FAILED_PRECONDITION, "SETUP_FAILED",
                              "the state folder %s must be a directory that belongs to uid %u and "
                              "that nobody else can write "
                              "to; mend its owner and mode or choose another with --state-dir",
                              path, (unsigned)geteuid());
    /* Sandboxes of other uids have to get through, whatever made it before. */
    if (geteuid() == 0 && (status.st_mode & 0111) != 0111 &&
        chmod(path, (status.st_mode & 07777) | 0111))
        return heel_error_set_errno(err, errno, "cannot change the mode of the state folder %s",
                                    path);
    return 0;
}

/* A sweeper may hold the lock for the moment between our mkdir and flock, and remove the folder:
 * then this one is lost. */
static int lock_new(const char *path)
{
    heel_autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;

    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, &status))
        return -1;
    if (status.st_nlink == 0) {
        errno = ENOENT;
        return -1;
    }
    return heel_steal_fd(&fd);
}

int heel_state_instance_open(const char *state_dir, struct heel_state_instance *instance,
                             struct heel_error **err)
{
    heel_autofree char *instances = heel_format("%s/instances", state_dir);
    heel_autofree char *kept = heel_format("%s/kept", state_dir);

    if (make_parents(state_dir, err) || ensure_own(state_dir, err) || ensure_own(instances, err) ||
        ensure_own(kept, err))
        return -1;
    for (int i = 0; i < INSTANCE_TRIES; i++) {
        heel_autofree char *name = random_name();
        heel_autofree char *path = heel_format("%s/%s", instances, name);
        int fd;

        if (make_folder(path, folder_mode()) && errno != ENOENT)
            break;
        fd = lock_new(path);
        if (fd >= 0) {
            *instance = (struct heel_state_instance){heel_steal(path), fd};
            return 0;
        }
        if (errno != EWOULDBLOCK && errno != ENOENT)
            break;
    }
    return heel_error_set_errno(err, errno, "cannot make a folder in %s", instances);
}

/* Removes the instance unless it is locked; whether it is. */
static bool sweep_one(int instances, const char *name)
{
    heel_autoclose int fd =
        openat(instances, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return false;
    if (flock(fd, LOCK_EX | LOCK_NB))
        return errno == EWOULDBLOCK;
    heel_remove_tree(instances, name, NULL);
    return false;
}

bool heel_state_sweep(const char *state_dir, const char *own)
{
    heel_autofree char *path = heel_format("%s/instances", state_dir);
    const char *own_name = own ? strrchr(own, '/') + 1 : "";
    DIR *instances = opendir(path);
    bool held = false;

    if (!instances)
        return false;
    for (struct dirent *entry = readdir(instances); entry; entry = readdir(instances))
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, own_name) != 0)
            held |= sweep_one(dirfd(instances), entry->d_name);
    closedir(instances);
    return held;
}

static int make_owned(const char *path, uid_t owner, gid_t group, struct heel_error **err)
{
    if (mkdir(path, 0700) || chmod(path, 0700))
        return heel_error_set_errno(err, errno, "cannot make the working directory %s", path);
    if (owner != geteuid() && chown(path, owner, group)) {
        int why = errno;

        rmdir(path);
        return heel_error_set_errno(err, why, "cannot give the working directory %s to uid %u",
                                    path, (unsigned)owner);
    }
    return 0;
}

int heel_state_make_kept(const char *state_dir, const char *id, uid_t owner, gid_t group,
                         char **work, struct heel_error **err)
{
    heel_autofree char *name = random_name();
    heel_autofree char *path = heel_format("%s/kept/%s-%.8s", state_dir, id, name);

    if (make_owned(path, owner, group, err))
        return -1;
    *work = heel_steal(path);
    return 0;
}
