#include "backends/linux/limits/disk_use.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/text.h"

/* Beyond, a tree was made to be hard to count, and counts as too much. */
#define STEPS_MAX (32U << 20)

#define BLOCK 512 /* bytes: what st_blocks counts, whatever the file system */

/* The subdirectories of one directory that are still to be looked at. */
struct level {
    struct heel_buffer names; /* each with its NUL */
    size_t at;                /* the next one */
    size_t path_length;       /* of the path to this directory */
};

struct walk {
    int top; /* borrowed */
    const struct heel_disk_use *most;
    struct heel_disk_use *use;
    struct level *levels; /* owned; the directories from the top down to the current one */
    size_t depth;
    size_t capacity;
    struct heel_buffer path; /* of the current one, from the top; "" for itself */
    int at;                  /* owned; the current one; -1: to be found by its path */
    uint64_t steps;          /* names that were looked up to find one by its path */
};

static bool is_over(const struct walk *walk)
{
    return walk->steps > STEPS_MAX || walk->use->bytes > walk->most->bytes ||
           walk->use->inodes > walk->most->inodes;
}

static int open_part(int parent, const char *path)
{
    struct open_how how = {
        .flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
    };

    return (int)syscall(SYS_openat2, parent, path, &how, sizeof how);
}

/* A path may be longer than the kernel takes at once. */
static int open_path(int top, char *path)
{
    heel_autoclose int at = open_part(top, ".");

    while (*path && at >= 0) {
        char *end = path + strlen(path);
        int next;

        if (end - path >= PATH_MAX) {
            end = path + PATH_MAX - 1;
            while (*end != '/')
                end--;
        }
        bool more = *end == '/';
        *end = '\0';
        next = open_part(at, path);
        if (more)
            *end = '/';
        path = end + more;
        close(at);
        at = next;
    }
    return heel_steal_fd(&at);
}

/* Through /proc it means the directory that is open. */
static int open_readable(int directory)
{
    char self[64];
    struct stat status;
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 || errno != EACCES || fstat(directory, &status) || status.st_uid != geteuid())
        return fd;
    snprintf(self, sizeof self, "/proc/self/fd/%d", directory);
    if (chmod(self, (status.st_mode & 07777) | 0500))
        return -1;
    return openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void push(struct walk *walk)
{
    if (walk->depth == walk->capacity) {
        walk->capacity = walk->capacity * 2 + 16;
        walk->levels = heel_xrealloc(walk->levels, walk->capacity, sizeof *walk->levels);
    }
    walk->levels[walk->depth++] = (struct level){.path_length = walk->path.length};
}

static void count(struct walk *walk, int directory, const char *name)
{
    struct statx status;

    if (statx(directory, name, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC, STATX_BASIC_STATS,
              &status))
        return;
    walk->use->inodes++;
    /* What has more names than one is not charged for each of them. */
    walk->use->bytes +=
        status.stx_blocks * BLOCK / (S_ISDIR(status.stx_mode) ? 1 : status.stx_nlink);
    if (S_ISDIR(status.stx_mode))
        heel_buffer_append(&walk->levels[walk->depth - 1].names, name, strlen(name) + 1);
}

/* From its parent, if that is at hand: a path from the top costs as much as it is long. */
static int open_next(struct walk *walk, const char *name)
{
    if (walk->at >= 0)
        return open_part(walk->at, name);
    walk->steps += walk->depth;
    return open_path(walk->top, walk->path.length ? walk->path.data : "");
}

/* The directory of the current path, which ends with `name`. One that can't be opened is gone or
 * out of reach. */
static void enter(struct walk *walk, const char *name)
{
    int directory = open_next(walk, name);
    int fd = directory < 0 ? -1 : open_readable(directory);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);

    if (walk->at >= 0)
        close(walk->at);
    walk->at = directory;
    push(walk);
    if (!stream) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *entry = readdir(stream); entry && !is_over(walk); entry = readdir(stream))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            count(walk, dirfd(stream), entry->d_name);
    closedir(stream);
}

/* Moves on to the next subdirectory of the current one, or up to its parent. */
static void advance(struct walk *walk)
{
    struct level *level = &walk->levels[walk->depth - 1];
    const char *name;

    walk->path.length = level->path_length;
    if (level->at == level->names.length) {
        heel_buffer_free(&level->names);
        walk->depth--;
        if (walk->at >= 0)
            close(heel_steal_fd(&walk->at));
        return;
    }
    name = level->names.data + level->at;
    level->at += strlen(name) + 1;
    if (walk->path.length > 0)
        heel_buffer_append(&walk->path, "/", 1);
    heel_buffer_append_text(&walk->path, name);
    enter(walk, name);
}

void heel_disk_use_measure(int top, const struct heel_disk_use *most, struct heel_disk_use *use)
{
    struct walk walk = {.top = top, .most = most, .use = use, .at = -1};

    *use = (struct heel_disk_use){0};
    enter(&walk, ".");
    while (walk.depth > 0 && !is_over(&walk))
        advance(&walk);
    if (walk.steps > STEPS_MAX)
        use->inodes = UINT64_MAX;
    if (walk.at >= 0)
        close(walk.at);
    while (walk.depth > 0)
        heel_buffer_free(&walk.levels[--walk.depth].names);
    free(walk.levels);
    heel_buffer_free(&walk.path);
}
