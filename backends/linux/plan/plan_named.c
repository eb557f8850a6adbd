/* The caller's working directory and path rules on top of the level. */
#include <stdlib.h>
#include <string.h>

#include "backends/linux/kernel/landlock_rights.h"
#include "backends/linux/plan/plan_build.h"

static int compare_named(const void *a, const void *b)
{
    const struct heel_plan_named *left = a, *right = b;

    return heel_path_compare(left->path.path, right->path.path);
}

const struct heel_plan_named *heel_plan_find_deny(const struct heel_plan_named *named, size_t count,
                                                  const char *path)
{
    for (size_t i = 0; i < count; i++)
        if ((named[i].access & HEEL_ACCESS_DENY) &&
            heel_path_is_at_or_below(path, named[i].path.path))
            return &named[i];
    return NULL;
}

bool heel_plan_is_visible(const struct heel_plan_builder *builder,
                          const struct heel_plan_named *named, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++)
        if (!(named[i].access & HEEL_ACCESS_DENY) &&
            heel_path_is_at_or_below(path, named[i].path.path))
            return true;
    return heel_plan_level_access(builder, path) != 0;
}

/* A rule takes nothing away that the level gives but the right to write: where the level lets
 * everything be written, READ narrows it. */
unsigned heel_plan_effective_access(unsigned level, const struct heel_plan_named *named)
{
    return HEEL_ACCESS_READ | (named->access & (HEEL_ACCESS_WRITE | HEEL_ACCESS_EXECUTE)) |
           (level & HEEL_ACCESS_EXECUTE);
}

/* The links that led to a path lead to it inside, too, where the sandbox's own root has room for
 * them. */
static void add_links(struct heel_plan *plan, const struct heel_plan_named *named)
{
    for (size_t i = 0; i < named->path.link_count; i++)
        heel_plan_add_mount(plan, HEEL_MOUNT_SYMLINK, HEEL_MOUNT_OPTIONAL,
                            named->path.links[i].text, named->path.links[i].path, named->origin);
}

static void pin(struct heel_mount *mount, const struct heel_plan_named *named)
{
    mount->device = named->path.device;
    mount->inode = named->path.inode;
}

static void add_grant(struct heel_plan_builder *builder, const struct heel_plan_named *named)
{
    unsigned access =
        heel_plan_effective_access(heel_plan_level_access(builder, named->path.path), named);
    struct heel_mount *mount = heel_plan_add_mount(
        builder->plan, HEEL_MOUNT_BIND, heel_plan_flags_of(access) | HEEL_MOUNT_NAMED,
        named->path.path, named->path.path, named->origin);

    pin(mount, named);
    heel_plan_add_rule(builder->plan, named->path.path, heel_plan_rights_of(access), named->origin);
}

int heel_plan_sort_named(const struct heel_plan_builder *builder, struct heel_plan_named *named,
                         size_t count, struct heel_error **err)
{
    const struct heel_plan_named *deny;

    qsort(named, count, sizeof(*named), compare_named);
    deny = builder->input->spec->working_dir
               ? heel_plan_find_deny(named, count, builder->plan->paths.working_dir)
               : NULL;
    if (deny)
        return heel_error_set_field(err, deny->field, "\"%s\" denies the working directory",
                                    deny->path.path);
    return 0;
}

/* What a mask of a protected path covers already: the DENY's own would not find there what it is
 * for. */
static bool is_covered(const struct heel_plan_builder *builder, const struct heel_plan_named *named,
                       size_t count, const char *path)
{
    size_t nearest = 0;

    for (size_t i = 0; i < count; i++)
        if (!(named[i].access & HEEL_ACCESS_DENY) &&
            heel_path_is_at_or_below(path, named[i].path.path) &&
            strlen(named[i].path.path) > nearest)
            nearest = strlen(named[i].path.path);
    for (size_t i = 0; i < builder->view_count; i++)
        if (builder->views[i].access == 0 && strlen(builder->views[i].path) > nearest &&
            heel_path_is_at_or_below(path, builder->views[i].path))
            return true;
    return false;
}

static void add_deny(struct heel_plan_builder *builder, const struct heel_plan_named *named,
                     size_t count, const struct heel_plan_named *deny)
{
    const char *path = deny->path.path;

    if (heel_plan_is_visible(builder, named, count, path) &&
        !is_covered(builder, named, count, path))
        pin(heel_plan_add_mount(builder->plan, HEEL_MOUNT_MASK, 0, NULL, path, "path rule"), deny);
}

int heel_plan_add_named(struct heel_plan_builder *builder, struct heel_plan_named *named,
                        size_t count, struct heel_error **err)
{
    if (heel_plan_sort_named(builder, named, count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        add_links(builder->plan, &named[i]);
        if (!heel_plan_find_deny(named, count, named[i].path.path))
            add_grant(builder, &named[i]);
    }
    for (size_t i = 0; i < count; i++)
        if (named[i].access & HEEL_ACCESS_DENY)
            add_deny(builder, named, count, &named[i]);
    return 0;
}
