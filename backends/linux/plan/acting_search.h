/* Looks for files that act outside later where a sandbox may write: before it, to protect them, and
 * after it, to tell what is new. */
#ifndef HEEL_BACKENDS_LINUX_PLAN_ACTING_SEARCH_H
#define HEEL_BACKENDS_LINUX_PLAN_ACTING_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* How far a search goes. What package managers unpack by the thousand (node_modules and the like)
 * comes last, and only repositories count in it. */
#define HEEL_ACTING_DEPTH_MAX 32
#define HEEL_ACTING_DIRECTORIES_MAX 65536
#define HEEL_ACTING_FILES_MAX 4096
#define HEEL_ACTING_TIME_MS 50
#define HEEL_ACTING_SET_ID_MS 10 /* of those, where nobody requires more; 0.5 to 2 us a file */

/* Where to look: all paths are canonical and sorted by heel_path_compare(). */
struct heel_acting_places {
    char **roots; /* owned; what may be written */
    size_t root_count;
    char **borders; /* owned; what may not, below a root */
    size_t border_count;
};

struct heel_acting_file {
    char *path;         /* owned */
    const char *reason; /* a literal */
    bool repository;
    mode_t mode;
    uint64_t device;
    uint64_t inode;
    nlink_t names;           /* how many names the file has */
    struct timespec changed; /* its ctime */
    char *leads_to;          /* owned; where a symbolic link leads, canonical; NULL if nowhere */
};

struct heel_acting_files {
    struct heel_acting_file *items; /* owned; in the order of their paths, no path twice */
    size_t count;
    struct timespec begun; /* when, by the clock of file systems */
    char *incomplete;      /* owned; a clause that says why not all was seen, NULL if it was */
};

/* Adds a copy of `path`; sort when all are there. */
void heel_acting_places_add_root(struct heel_acting_places *places, const char *path);
void heel_acting_places_add_border(struct heel_acting_places *places, const char *path);
void heel_acting_places_sort(struct heel_acting_places *places);
void heel_acting_places_clear(struct heel_acting_places *places);

/* The nearest root that `path` lies in or is, or NULL. */
const char *heel_acting_places_root_of(const struct heel_acting_places *places, const char *path);

/* Fills `files`, which is to be cleared. With the rights of this thread; follows no link.
 * set_id_ms: for how long, when all else was found, it looks for programs with a set-user-ID or
 * set-group-ID bit, of which no sandbox makes new ones; 0: not at all. */
void heel_acting_search(const struct heel_acting_places *places, int set_id_ms,
                        struct heel_acting_files *files);
const struct heel_acting_file *heel_acting_files_find(const struct heel_acting_files *files,
                                                      const char *path);
/* Drops all but the first `count`. */
void heel_acting_files_truncate(struct heel_acting_files *files, size_t count);
void heel_acting_files_clear(struct heel_acting_files *files);

#endif
