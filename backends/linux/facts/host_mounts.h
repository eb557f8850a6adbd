/* What is mounted on the host: where else something hidden can be seen. */
#ifndef HEEL_BACKENDS_LINUX_FACTS_HOST_MOUNTS_H
#define HEEL_BACKENDS_LINUX_FACTS_HOST_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

struct heel_host_mount {
    char *point;  /* owned; absolute */
    char *root;   /* owned; which directory of its file system it shows */
    char *device; /* owned; that file system, as "8:1" */
    char *type;   /* owned; as "ext4" */
    size_t order; /* in the kernel's list */
    bool twice;   /* its file system is mounted elsewhere as well */
};

/* One state of the mounts, never changed after it was made; threads share it. */
struct heel_host_mounts {
    struct heel_host_mount *items; /* owned; in the order of their points, but for those that
                                      another one on the same point covers */
    size_t count;
    unsigned holders; /* counted on the loop's thread */
};

/* From the text of a mountinfo file; lines that can't be understood are left out. The caller holds
 * the result. */
struct heel_host_mounts *heel_host_mounts_parse(const char *text);
struct heel_host_mounts *heel_host_mounts_hold(struct heel_host_mounts *mounts);
void heel_host_mounts_release(struct heel_host_mounts *mounts); /* NULL is fine */

/* Where else `path`, or a part of what lies below it, can be seen: NULL-terminated, sorted by
 * nothing, the caller's to free with heel_host_mounts_free_paths(); NULL where nowhere. */
char **heel_host_mounts_aliases(const struct heel_host_mounts *mounts, const char *path);
void heel_host_mounts_free_paths(char **paths);

/* Whether a mount shows or changes the kernel itself, or what processes do, rather than files. */
bool heel_host_mount_is_kernels(const struct heel_host_mount *mount);

/* The present state, read again when the kernel says that it changed. */
struct heel_mount_watch {
    int fd;                          /* owned; -1: it can't be watched */
    struct heel_host_mounts *latest; /* owned; NULL: it is not known */
};

void heel_mount_watch_open(struct heel_mount_watch *watch);
/* A system call where nothing changed. Borrowed until the next call. */
struct heel_host_mounts *heel_mount_watch_latest(struct heel_mount_watch *watch);
void heel_mount_watch_close(struct heel_mount_watch *watch);

#endif
