/* Files that act outside later: those that are there when the sandbox is made are mounted read-only
 * over themselves, and a repository with all that leads to it, so that nothing can be put in its
 * place. What is not there can't be covered without leaving traces in the caller's directory: it is
 * looked for when the sandbox ends. */
#include "backends/linux/plan/plan_acting.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backends/linux/plan/acting_names.h"

#define ORIGIN "protection: acting files"

static bool is_written(const struct heel_plan_named *named, size_t count, size_t index)
{
    return (named[index].access & HEEL_ACCESS_WRITE) &&
           !heel_plan_find_deny(named, count, named[index].path.path);
}

/* Collects the places that the spec makes writable, and in them those that it doesn't. */
static void find_places(const struct heel_plan_builder *builder,
                        const struct heel_plan_named *named, size_t count,
                        struct heel_acting_places *places)
{
    const struct heel_plan_input *input = builder->input;

    for (size_t i = 0; i < count; i++)
        if (is_written(named, count, i))
            heel_acting_places_add_root(places, named[i].path.path);
        else
            heel_acting_places_add_border(places, named[i].path.path);
    for (size_t i = 0; i < builder->view_count; i++)
        if (builder->views[i].access == 0)
            heel_acting_places_add_border(places, builder->views[i].path);
    if (input->work_source && input->spec->keep_working_dir)
        heel_acting_places_add_root(places, input->work_source);
    heel_acting_places_sort(places);
}

static const struct heel_plan_named *find_named(const struct heel_plan_named *named, size_t count,
                                                const char *path)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(named[i].path.path, path) == 0)
            return &named[i];
    return NULL;
}

static void degrade(struct heel_plan_acting *acting)
{
    acting->state = HEEL_ENFORCEMENT_DEGRADED;
    if (acting->detail.length)
        heel_buffer_append_text(&acting->detail, "; ");
}

static void append_path(struct heel_buffer *to, const char *path, size_t length)
{
    heel_buffer_append_text(to, "\"");
    heel_buffer_append_escaped(to, path, length);
    heel_buffer_append_text(to, "\"");
}

static void note_granted(struct heel_plan_acting *acting, const struct heel_plan_named *named,
                         const char *reason, size_t length)
{
    degrade(acting);
    heel_buffer_printf(&acting->detail, "%s lets ", named->field);
    append_path(&acting->detail, named->path.path, length);
    heel_buffer_printf(&acting->detail, " be written: %s", reason);
}

/* A WRITE rule on a file that acts outside, or on something in it, was asked for: it makes the
 * protection DEGRADED. */
static void note_grants(struct heel_plan_acting *acting, const struct heel_plan_named *named,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct heel_acting_file *itself =
            heel_acting_files_find(&acting->files, named[i].path.path);
        size_t length = strlen(named[i].path.path);
        const struct heel_acting_name *above = heel_acting_name_above(named[i].path.path, &length);

        if (is_written(named, count, i) && (above || itself))
            note_granted(acting, &named[i], above ? above->reason : itself->reason, length);
    }
}

static void pin(struct heel_mount *mount, const struct heel_acting_file *file)
{
    /* Not regular files: editors replace them by a rename at any time, so the mount must take
     * whatever file is there. */
    if (!S_ISREG(file->mode)) {
        mount->device = file->device;
        mount->inode = file->inode;
    }
}

/* Pins each directory from `root` down to the one that `path` lies in. `before`, the repository
 * before this one in the order of paths, has pinned those that lead to both. */
static void add_way(struct heel_plan *plan, const char *root, const char *path, const char *before)
{
    for (const char *slash = strchr(path + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        heel_autofree char *directory = strndup(path, (size_t)(slash - path));

        if (!before || !heel_path_is_at_or_below(before, directory))
            heel_plan_add_mount(plan, HEEL_MOUNT_PIN, 0, NULL, directory, ORIGIN);
    }
}

/* Pins the link, so that it can't be replaced, and makes what it leads to read-only if that lies
 * where the sandbox could write. */
static void keep_link(struct heel_plan *plan, struct heel_plan_acting *acting,
                      const struct heel_acting_file *file)
{
    pin(heel_plan_add_mount(plan, HEEL_MOUNT_PIN, 0, NULL, file->path, ORIGIN), file);
    if (!file->leads_to || !heel_acting_places_root_of(&acting->places, file->leads_to) ||
        heel_acting_files_find(&acting->files, file->leads_to))
        return;
    if (!heel_path_is_at_or_below(file->path, file->leads_to)) {
        heel_plan_add_mount(plan, HEEL_MOUNT_READ_ONLY, HEEL_MOUNT_EXECUTABLE, NULL, file->leads_to,
                            ORIGIN);
        return;
    }
    degrade(acting);
    append_path(&acting->detail, file->path, strlen(file->path));
    heel_buffer_append_text(&acting->detail, " is a link to a directory that it lies in");
}

static void keep(struct heel_plan *plan, struct heel_plan_acting *acting,
                 const struct heel_acting_file *file, const char *before)
{
    if (file->repository)
        add_way(plan, heel_acting_places_root_of(&acting->places, file->path), file->path, before);
    if (S_ISLNK(file->mode)) {
        keep_link(plan, acting, file);
        return;
    }
    pin(heel_plan_add_mount(plan, HEEL_MOUNT_READ_ONLY, HEEL_MOUNT_EXECUTABLE, NULL, file->path,
                            ORIGIN),
        file);
    if (!S_ISREG(file->mode) || file->names <= 1)
        return;
    degrade(acting);
    append_path(&acting->detail, file->path, strlen(file->path));
    heel_buffer_append_text(&acting->detail, " has a second name, by which it may be written");
}

static void keep_all(struct heel_plan *plan, struct heel_plan_acting *acting,
                     const struct heel_plan_named *named, size_t count)
{
    const char *before = NULL;

    for (size_t i = 0; i < acting->files.count; i++) {
        const struct heel_acting_file *file = &acting->files.items[i];

        if (find_named(named, count, file->path))
            continue; /* granted, denied or narrowed by a rule of its own */
        keep(plan, acting, file, before);
        if (file->repository)
            before = file->path;
    }
}

/* Every file has to be looked at for its bits: who requires it, waits for it. */
static int set_id_time(const struct heel_sandbox_spec *spec)
{
    return spec->required & (1U << HEEL_PROTECTION_ACTING_FILES) ? HEEL_ACTING_TIME_MS
                                                                 : HEEL_ACTING_SET_ID_MS;
}

int heel_plan_add_acting(struct heel_plan_builder *builder, const struct heel_plan_named *named,
                         size_t count, struct heel_error **err)
{
    struct heel_plan_acting *acting = heel_xcalloc(1, sizeof(*acting));
    struct heel_saved_identity saved;

    builder->plan->acting = acting;
    if (!heel_protected_group_is_on(builder->input->spec, HEEL_PROTECTED_ACTING_FILES)) {
        acting->state = HEEL_ENFORCEMENT_DISABLED;
        return 0;
    }
    if (builder->input->spec->level == HEEL_LEVEL_PERMISSIVE) {
        degrade(acting);
        heel_buffer_append_text(&acting->detail, "spec.level is PERMISSIVE: only what lies in "
                                                 "working_dir is kept as it is");
    }
    find_places(builder, named, count, &acting->places);
    if (acting->places.root_count == 0)
        return 0;
    if (heel_caller_assume(&builder->input->spec->caller, &saved, err) < 0)
        return -1;
    heel_acting_search(&acting->places, set_id_time(builder->input->spec), &acting->files);
    heel_caller_restore(&saved);
    note_grants(acting, named, count);
    keep_all(builder->plan, acting, named, count);
    if (acting->files.incomplete) {
        degrade(acting);
        heel_buffer_printf(&acting->detail, "not everything that may be written was searched: %s",
                           acting->files.incomplete);
    }
    return 0;
}

/* ---- afterwards ---- */

static bool is_before(const struct timespec *left, const struct timespec *right)
{
    return left->tv_sec < right->tv_sec ||
           (left->tv_sec == right->tv_sec && left->tv_nsec < right->tv_nsec);
}

static bool is_new(const struct heel_plan_acting *acting, const struct heel_acting_file *file)
{
    const struct heel_acting_file *known = heel_acting_files_find(&acting->files, file->path);

    if (known)
        return file->leads_to && heel_acting_places_root_of(&acting->places, file->leads_to) &&
               (!known->leads_to || strcmp(known->leads_to, file->leads_to) != 0);
    /* If the first search was incomplete a file may have been there all the time: then its ctime
     * decides. */
    return !acting->files.incomplete || !is_before(&file->changed, &acting->files.begun);
}

int heel_plan_find_new_acting(const struct heel_plan *plan, const struct heel_caller *caller,
                              struct heel_acting_files *found, struct heel_error **err)
{
    const struct heel_plan_acting *acting = plan->acting;
    struct heel_saved_identity saved;
    size_t kept = 0;

    *found = (struct heel_acting_files){0};
    if (!acting || acting->places.root_count == 0)
        return 0;
    if (heel_caller_assume(caller, &saved, err) < 0)
        return -1;
    heel_acting_search(&acting->places, 0, found);
    heel_caller_restore(&saved);
    for (size_t i = 0; i < found->count; i++) {
        struct heel_acting_file file = found->items[i];

        if (is_new(acting, &file)) {
            found->items[i] = found->items[kept];
            found->items[kept++] = file;
        }
    }
    heel_acting_files_truncate(found, kept);
    return 0;
}

void heel_plan_acting_free(struct heel_plan_acting *acting)
{
    if (!acting)
        return;
    heel_acting_places_clear(&acting->places);
    heel_acting_files_clear(&acting->files);
    heel_buffer_free(&acting->detail);
    free(acting);
}
