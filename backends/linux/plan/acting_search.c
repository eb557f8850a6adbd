#include "backends/linux/plan/acting_search.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backends/linux/kernel/mount_calls.h"
#include "backends/linux/plan/acting_names.h"
#include "backends/linux/plan/plan_build.h"
#include "base/clock.h"
#include "base/text.h"

/* ---- places ---- */

static void add_path(char ***paths, size_t *count, const char *path)
{
    *paths = heel_xrealloc(*paths, *count + 1, sizeof(**paths));
    (*paths)[(*count)++] = heel_xstrdup(path);
}

void heel_acting_places_add_root(struct heel_acting_places *places, const char *path)
{
    add_path(&places->roots, &places->root_count, path);
}

void heel_acting_places_add_border(struct heel_acting_places *places, const char *path)
{
    add_path(&places->borders, &places->border_count, path);
}

static int compare_paths(const void *a, const void *b)
{
    return heel_path_compare(*(char *const *)a, *(char *const *)b);
}

void heel_acting_places_sort(struct heel_acting_places *places)
{
    if (places->root_count)
        qsort(places->roots, places->root_count, sizeof(char *), compare_paths);
    if (places->border_count)
        qsort(places->borders, places->border_count, sizeof(char *), compare_paths);
}

void heel_acting_places_clear(struct heel_acting_places *places)
{
    for (size_t i = 0; i < places->root_count; i++)
        free(places->roots[i]);
    for (size_t i = 0; i < places->border_count; i++)
        free(places->borders[i]);
    free(places->roots);
    free(places->borders);
    *places = (struct heel_acting_places){0};
}

static bool is_one_of(char *const *paths, size_t count, const char *path)
{
    return count > 0 && bsearch(&path, paths, count, sizeof(char *), compare_paths);
}

const char *heel_acting_places_root_of(const struct heel_acting_places *places, const char *path)
{
    const char *nearest = NULL;

    for (size_t i = 0; i < places->root_count; i++)
        if (heel_path_is_at_or_below(path, places->roots[i]))
            nearest = places->roots[i];
    return nearest;
}

/* ---- names ---- */

struct last_names {
    const char **names; /* owned; the last components in the table, sorted */
    size_t count;
};

static int compare_names(const void *a, const void *b)
{
    return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

static struct last_names last_names_make(void)
{
    struct last_names last = {heel_xcalloc(heel_acting_name_count, sizeof(char *)),
                              heel_acting_name_count};

    for (size_t i = 0; i < last.count; i++) {
        const char *slash = strrchr(heel_acting_names[i].path, '/');

        last.names[i] = slash ? slash + 1 : heel_acting_names[i].path;
    }
    qsort(last.names, last.count, sizeof(char *), compare_names);
    return last;
}

/* ---- the search ----
 *
 * Breadth first, so that what is near has been seen when time runs out. */

struct place {
    char *path; /* owned */
    unsigned depth;
    bool unpacked; /* it lies in what a package manager unpacked */
};

struct queue {
    struct place *places; /* owned */
    size_t next;
    size_t count;
};

struct search {
    const struct heel_acting_places *places;
    struct heel_acting_files *files;
    struct last_names last;
    struct queue near, unpacked;
    size_t directories;
    int64_t begun_ms;
};

/* What makes a directory a repository's, whatever it is called. */
enum repository_parts {
    PART_HEAD = 1,
    PART_OBJECTS = 2,
    PART_REFS = 4,
    PART_COMMON = 8,
};

static void give_up(struct search *search, const char *format, const char *path)
{
    heel_autobuffer struct heel_buffer escaped = {0};

    if (search->files->incomplete)
        return;
    heel_buffer_append_escaped(&escaped, path, strlen(path));
    search->files->incomplete =
        heel_format(format, escaped.data ? escaped.data : "", HEEL_ACTING_TIME_MS);
}

static bool is_time_up(const struct search *search)
{
    return heel_clock_ms() - search->begun_ms >= HEEL_ACTING_TIME_MS;
}

static void push(struct queue *queue, const char *path, unsigned depth, bool unpacked)
{
    queue->places = heel_xrealloc(queue->places, queue->count + 1, sizeof(*queue->places));
    queue->places[queue->count++] = (struct place){heel_xstrdup(path), depth, unpacked};
}

static bool is_unpacked(const char *name)
{
    static const char *const names[] = {"node_modules",     ".venv",      "venv", "site-packages",
                                        "bower_components", ".pnpm-store"};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void enter_later(struct search *search, const struct place *from, const char *path,
                        const char *name)
{
    bool unpacked = from->unpacked || is_unpacked(name);

    if (is_one_of(search->places->roots, search->places->root_count, path))
        return; /* a directory that is searched for its own sake */
    if (from->depth == HEEL_ACTING_DEPTH_MAX)
        give_up(search, "\"%s\" lies too deep", path);
    else
        push(unpacked ? &search->unpacked : &search->near, path, from->depth + 1, unpacked);
}

static void add_file(struct search *search, const char *path, const struct heel_acting_name *name,
                     const struct stat *status)
{
    struct heel_acting_files *files = search->files;

    if (files->count == HEEL_ACTING_FILES_MAX) {
        give_up(search, "there are too many, from \"%s\" on", path);
        return;
    }
    files->items = heel_xrealloc(files->items, files->count + 1, sizeof(*files->items));
    files->items[files->count++] = (struct heel_acting_file){
        .path = heel_xstrdup(path),
        .reason = name->reason,
        .repository = name->repository,
        .mode = status->st_mode,
        .device = status->st_dev,
        .inode = status->st_ino,
        .names = status->st_nlink,
        .changed = status->st_ctim,
        .leads_to = S_ISLNK(status->st_mode) ? realpath(path, NULL) : NULL,
    };
}

static unsigned part_of(const char *name)
{
    static const struct {
        const char *name;
        unsigned part;
    } parts[] = {{"HEAD", PART_HEAD},
                 {"objects", PART_OBJECTS},
                 {"refs", PART_REFS},
                 {"commondir", PART_COMMON}};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(parts); i++)
        if (strcmp(name, parts[i].name) == 0)
            return parts[i].part;
    return 0;
}

/* One entry of the directory `from`. */
static void look_at(struct search *search, const struct place *from, int directory,
                    const struct dirent *entry)
{
    bool may_act = bsearch(&(const char *){entry->d_name}, search->last.names, search->last.count,
                           sizeof(char *), compare_names);
    bool is_directory = entry->d_type == DT_DIR;
    const struct heel_acting_name *name = NULL;
    heel_autofree char *path = NULL;
    struct stat status;

    if (!may_act && !is_directory && entry->d_type != DT_UNKNOWN)
        return;
    path = heel_format("%s/%s", from->path, entry->d_name);
    if (is_one_of(search->places->borders, search->places->border_count, path))
        return;
    if (may_act)
        name = heel_acting_name_of(path);
    if (name || entry->d_type == DT_UNKNOWN) {
        if (fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
            return; /* gone meanwhile */
        is_directory = S_ISDIR(status.st_mode);
    }
    if (name && (name->repository || !from->unpacked))
        add_file(search, path, name, &status);
    else if (is_directory)
        enter_later(search, from, path, entry->d_name);
}

static void forget_places(struct queue *queue, size_t count)
{
    while (queue->count > count)
        free(queue->places[--queue->count].path);
}

static bool is_repository(unsigned parts)
{
    return (parts & PART_HEAD) && ((parts & PART_COMMON) || (parts & (PART_OBJECTS | PART_REFS)) ==
                                                                (PART_OBJECTS | PART_REFS));
}

/* Whether it is a repository. */
static bool read_all(struct search *search, const struct place *place, DIR *directory)
{
    size_t near = search->near.count, unpacked = search->unpacked.count;
    unsigned parts = 0;
    struct dirent *entry;
    struct stat status;

    while ((entry = readdir(directory))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        parts |= part_of(entry->d_name);
        look_at(search, place, dirfd(directory), entry);
    }
    if (!is_repository(parts) || fstat(dirfd(directory), &status) < 0)
        return false;
    forget_places(&search->near, near);
    forget_places(&search->unpacked, unpacked);
    add_file(search, place->path, &heel_acting_repository, &status);
    return true;
}

/* NULL where it can't be looked into. */
static DIR *open_place(struct search *search, const char *path)
{
    heel_autoclose int fd = heel_openat2(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
                                         RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);

    if (directory)
        heel_steal_fd(&fd);
    /* Not an error: the place is a file that was granted itself, or was removed meanwhile. */
    else if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
        give_up(search, "\"%s\" can't be read", path);
    return directory;
}

/* Whether there is more to look for in it. */
static bool visit(struct search *search, const struct place *place)
{
    DIR *directory = open_place(search, place->path);
    bool more;

    if (!directory)
        return false;
    search->directories++;
    more = !read_all(search, place, directory);
    closedir(directory);
    return more;
}

static void visit_all(struct search *search, struct queue *queue)
{
    while (queue->next < queue->count) {
        struct place place = queue->places[queue->next++];
        bool more = false;

        if (is_time_up(search))
            give_up(search, "\"%s\" and what comes after it could not be looked at within %d ms",
                    place.path);
        else if (search->directories >= HEEL_ACTING_DIRECTORIES_MAX)
            give_up(search, "there are too many directories, from \"%s\" on", place.path);
        else
            more = visit(search, &place);
        if (more)
            continue;
        free(place.path);
        queue->places[queue->next - 1].path = NULL;
    }
}

/* ---- programs that lend rights ----
 *
 * The kernel takes the set-user-ID bit from a file that is written to, and not from one that is
 * changed through a shared mapping. Such files have no names to be known by: each file has to be
 * looked at, so they come when all else was found. */

static bool lends_rights(mode_t mode)
{
    return S_ISREG(mode) &&
           ((mode & S_ISUID) || (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP));
}

static void look_for_rights(struct search *search, const char *folder, int directory,
                            const struct dirent *entry)
{
    heel_autofree char *path = NULL;
    struct stat status;

    if ((entry->d_type != DT_REG && entry->d_type != DT_UNKNOWN) ||
        fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
        !lends_rights(status.st_mode))
        return;
    path = heel_format("%s/%s", folder, entry->d_name);
    if (!is_one_of(search->places->borders, search->places->border_count, path))
        add_file(search, path, &heel_acting_set_id, &status);
}

static void look_again(struct search *search, const char *folder)
{
    DIR *directory = open_place(search, folder);
    struct dirent *entry;

    while (directory && (entry = readdir(directory)))
        look_for_rights(search, folder, dirfd(directory), entry);
    if (directory)
        closedir(directory);
}

static void look_again_at_all(struct search *search, const struct queue *queue, int64_t deadline_ms)
{
    for (size_t i = 0; i < queue->count; i++) {
        const char *folder = queue->places[i].path;

        if (!folder)
            continue;
        if (heel_clock_ms() >= deadline_ms) {
            give_up(search,
                    "programs with a set-user-ID bit from \"%s\" on were not looked for, to which "
                    "spec.require gives more time",
                    folder);
            return;
        }
        look_again(search, folder);
    }
}

static void look_for_set_id(struct search *search, int time_ms)
{
    int64_t deadline_ms = heel_clock_ms() + time_ms;

    if (deadline_ms > search->begun_ms + HEEL_ACTING_TIME_MS)
        deadline_ms = search->begun_ms + HEEL_ACTING_TIME_MS;
    look_again_at_all(search, &search->near, deadline_ms);
    look_again_at_all(search, &search->unpacked, deadline_ms);
}

/* ---- all together ---- */

static int compare_files(const void *a, const void *b)
{
    return heel_path_compare(((const struct heel_acting_file *)a)->path,
                             ((const struct heel_acting_file *)b)->path);
}

static void clear_file(struct heel_acting_file *file)
{
    free(file->path);
    free(file->leads_to);
}

/* A repository is found by its name and, where it is granted itself, by what lies in it. */
static void sort_files(struct heel_acting_files *files)
{
    size_t kept = 0;

    if (files->count == 0)
        return;
    qsort(files->items, files->count, sizeof(*files->items), compare_files);
    for (size_t i = 1; i < files->count; i++) {
        if (compare_files(&files->items[i], &files->items[kept]) == 0)
            clear_file(&files->items[i]);
        else
            files->items[++kept] = files->items[i];
    }
    files->count = kept + 1;
}

static void clear_queue(struct queue *queue)
{
    for (size_t i = 0; i < queue->count; i++)
        free(queue->places[i].path);
    free(queue->places);
}

void heel_acting_search(const struct heel_acting_places *places, int set_id_ms,
                        struct heel_acting_files *files)
{
    struct search search = {
        .places = places, .files = files, .last = last_names_make(), .begun_ms = heel_clock_ms()};

    *files = (struct heel_acting_files){0};
    clock_gettime(CLOCK_REALTIME_COARSE, &files->begun);
    for (size_t i = 0; i < places->root_count; i++)
        push(&search.near, places->roots[i], 0, false);
    visit_all(&search, &search.near);
    visit_all(&search, &search.unpacked);
    if (set_id_ms > 0)
        look_for_set_id(&search, set_id_ms);
    clear_queue(&search.near);
    clear_queue(&search.unpacked);
    free(search.last.names);
    sort_files(files);
}

const struct heel_acting_file *heel_acting_files_find(const struct heel_acting_files *files,
                                                      const char *path)
{
    const struct heel_acting_file wanted = {.path = (char *)(uintptr_t)path};

    return files->count
               ? bsearch(&wanted, files->items, files->count, sizeof(*files->items), compare_files)
               : NULL;
}

void heel_acting_files_truncate(struct heel_acting_files *files, size_t count)
{
    while (files->count > count)
        clear_file(&files->items[--files->count]);
}

void heel_acting_files_clear(struct heel_acting_files *files)
{
    heel_acting_files_truncate(files, 0);
    free(files->items);
    free(files->incomplete);
    *files = (struct heel_acting_files){0};
}
