/* A recursion would need a stack and a descriptor per level, and code that wants to be a nuisance
 * makes 100,000 levels. So nothing here goes deeper than two: a directory that is not empty is
 * moved up to the top of the tree and takes its turn there. */
#include "backends/linux/state/remove_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"

/* Passes over the top without anything removed, before what is left is given up. */
#define IDLE_PASSES_MAX 3

struct removal {
    int top;             /* borrowed; the directory that is being emptied */
    unsigned long moved; /* directories moved up so far: the next one's name */
    bool progress;       /* this pass removed something */
    int first_errno;     /* errno of the first entry that this pass could not remove */
    char first_name[NAME_MAX + 1];
};

static void note_failure(struct removal *removal, const char *name, int why)
{
    if (removal->first_errno)
        return;
    removal->first_errno = why;
    snprintf(removal->first_name, sizeof removal->first_name, "%s", name);
}

static int open_inside(int parent, const char *name, int flags)
{
    struct open_how how = {
        .flags = (unsigned)(flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
    };

    return (int)syscall(SYS_openat2, parent, name, &how, sizeof how);
}

/* There is no chmod that follows no link before Linux 6.6; through /proc it means the directory
 * that is open. */
static int make_accessible(int path_fd)
{
    char self[64];
    struct stat status;

    if (fstat(path_fd, &status))
        return -1;
    if ((status.st_mode & 0700) == 0700)
        return 0;
    snprintf(self, sizeof self, "/proc/self/fd/%d", path_fd);
    return chmod(self, 0700);
}

/* Opens a directory for emptying, whatever its mode. */
static int open_directory(int parent, const char *name)
{
    heel_autoclose int path_fd = open_inside(parent, name, O_PATH);

    if (path_fd < 0)
        return -1;
    if (make_accessible(path_fd))
        return -1;
    return open_inside(path_fd, ".", O_RDONLY);
}

/* unlink, or rmdir where it is a directory. */
static int remove_shallow(int parent, const char *name)
{
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -1;
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    return -1;
}

static int move_up(struct removal *removal, int parent, const char *name)
{
    char unused[32];
    heel_autoclose int path_fd = open_inside(parent, name, O_PATH);

    /* Its ".." changes, for which it must be writable. Not opened: a mount point, which stays where
     * it is. */
    if (path_fd < 0 || make_accessible(path_fd))
        return -1;
    do {
        snprintf(unused, sizeof unused, "~%lu", removal->moved++);
        if (renameat2(parent, name, removal->top, unused, RENAME_NOREPLACE) == 0)
            return 0;
    } while (errno == EEXIST);
    return -1;
}

static bool is_dot(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* A stream over a duplicate: closing it leaves `fd` open. */
static DIR *stream_of(int fd)
{
    int copy = open_inside(fd, ".", O_RDONLY);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);

    if (!stream && copy >= 0)
        close(copy);
    return stream;
}

static void empty_second_level(struct removal *removal, int directory)
{
    DIR *stream = stream_of(directory);

    if (!stream)
        return;
    for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
        if (is_dot(entry->d_name))
            continue;
        if (remove_shallow(directory, entry->d_name) == 0 ||
            (errno == ENOTEMPTY && move_up(removal, directory, entry->d_name) == 0))
            removal->progress = true;
        else
            note_failure(removal, entry->d_name, errno);
    }
    closedir(stream);
}

static void remove_first_level(struct removal *removal, const char *name)
{
    if (remove_shallow(removal->top, name)) {
        heel_autoclose int directory = errno == ENOTEMPTY ? open_directory(removal->top, name) : -1;

        if (directory < 0) {
            note_failure(removal, name, errno);
            return;
        }
        empty_second_level(removal, directory);
        if (remove_shallow(removal->top, name)) {
            note_failure(removal, name, errno);
            return;
        }
    }
    removal->progress = true;
}

/* One pass over the top; the number of entries it met. */
static size_t pass(struct removal *removal)
{
    DIR *stream = stream_of(removal->top);
    size_t met = 0;

    removal->progress = false;
    removal->first_errno = 0;
    if (!stream) {
        note_failure(removal, ".", errno);
        return 1;
    }
    for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
        if (is_dot(entry->d_name))
            continue;
        met++;
        remove_first_level(removal, entry->d_name);
    }
    closedir(stream);
    return met;
}

static void empty_top(struct removal *removal)
{
    for (int idle = 0; idle < IDLE_PASSES_MAX;) {
        if (pass(removal) == 0)
            return;
        idle = removal->progress ? 0 : idle + 1;
    }
}

int heel_remove_tree(int parent, const char *name, struct heel_error **err)
{
    struct removal removal = {0};
    heel_autoclose int top = -1;

    if (remove_shallow(parent, name) == 0)
        return 0;
    if (errno != ENOTEMPTY)
        return heel_error_set_errno(err, errno, "cannot remove %s", name);
    top = open_directory(parent, name);
    if (top < 0)
        return heel_error_set_errno(err, errno, "cannot open %s to remove what is in it", name);
    removal.top = top;
    empty_top(&removal);
    if (remove_shallow(parent, name) == 0)
        return 0;
    return heel_error_set_errno(err, removal.first_errno ? removal.first_errno : errno,
                                "cannot remove %s from %s", removal.first_name, name);
}
