/* What stays out of sight: protected paths wherever the level or a grant would show them, and
 * heel's own folders always. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backends/linux/facts/host_mounts.h"
#include "backends/linux/plan/plan_build.h"

static bool is_grant_below(const struct heel_plan_named *named, const char *path)
{
    return !(named->access & HEEL_ACCESS_DENY) &&
           heel_path_is_at_or_below(named->path.path, path) && strcmp(named->path.path, path) != 0;
}

static const struct heel_plan_named *find_grant(const struct heel_plan_named *named, size_t count,
                                                const char *path)
{
    for (size_t i = 0; i < count; i++)
        if (!(named[i].access & HEEL_ACCESS_DENY) && strcmp(named[i].path.path, path) == 0)
            return &named[i];
    return NULL;
}

/* Makes a mount point for each grant below the mask, in the mask's source in the root's tmpfs. */
static void add_places(struct heel_plan *plan, const char *source, const char *path,
                       const struct heel_plan_named *named, size_t count, const char *origin)
{
    for (size_t i = 0; i < count; i++) {
        heel_autofree char *place = NULL;

        if (!is_grant_below(&named[i], path))
            continue;
        place = heel_format("%s%s", source, named[i].path.path + strlen(path));
        if (S_ISDIR(named[i].path.mode))
            heel_plan_add_mount(plan, HEEL_MOUNT_DIR, 0, NULL, place, origin);
        else
            heel_plan_add_mount(plan, HEEL_MOUNT_FILE, 0, "", place, origin);
    }
}

static void note_shown(struct heel_plan *plan, const char *path)
{
    heel_buffer_append_text(&plan->shown, plan->shown.length ? ", \"" : "\"");
    heel_buffer_append_escaped(&plan->shown, path, strlen(path));
    heel_buffer_append_text(&plan->shown, "\"");
}

/* Whether something below `path` is granted. With `in_part` those grants are noted for the report.
 */
static bool note_grants(struct heel_plan *plan, const struct heel_plan_named *named, size_t count,
                        const char *path, bool in_part)
{
    bool found = false;

    for (size_t i = 0; i < count; i++) {
        if (!is_grant_below(&named[i], path))
            continue;
        found = true;
        if (in_part)
            note_shown(plan, named[i].path.path);
    }
    return found;
}

/* Covers `path`, if it can be seen, unless it is granted itself. */
static void cover(struct heel_plan_builder *builder, const struct heel_plan_named *named,
                  size_t count, const char *path, bool in_part, const char *origin)
{
    heel_autofree char *source = NULL;

    if (!heel_plan_is_visible(builder, named, count, path))
        return;
    if (find_grant(named, count, path)) {
        note_shown(builder->plan, path);
        return;
    }
    heel_plan_note_view(builder, path, 0);
    if (builder->input->bare) {
        note_grants(builder->plan, named, count, path, in_part);
        return; /* no rule comes near it */
    }
    if (!note_grants(builder->plan, named, count, path, in_part)) {
        heel_plan_add_mount(builder->plan, HEEL_MOUNT_MASK, HEEL_MOUNT_OPTIONAL, NULL, path,
                            origin);
        return;
    }
    source = heel_format("/.hidden/%zu", builder->view_count);
    add_places(builder->plan, source, path, named, count, origin);
    heel_plan_add_mount(builder->plan, HEEL_MOUNT_SCRATCH, 0, source, path, origin);
}

/* Covers `path` also where another mount of its file system shows it. */
static void cover_aliases(struct heel_plan_builder *builder, const struct heel_plan_named *named,
                          size_t count, const char *path, bool in_part, const char *origin)
{
    char **aliases = heel_host_mounts_aliases(builder->input->mounts, path);

    for (size_t i = 0; aliases && aliases[i]; i++)
        cover(builder, named, count, aliases[i], in_part, origin);
    heel_host_mounts_free_paths(aliases);
}

static void hide(struct heel_plan_builder *builder, const struct heel_plan_named *named,
                 size_t count, const char *path, bool in_part, const char *origin)
{
    cover(builder, named, count, path, in_part, origin);
    cover_aliases(builder, named, count, path, in_part, origin);
}

/* /tmp, /run and the like are replaced in each sandbox. The host's are hidden also where another
 * mount shows them. */
static void hide_replaced(struct heel_plan_builder *builder, const struct heel_plan_named *named,
                          size_t count)
{
    static const char *const replaced[] = {"/run", "/dev/shm", "/tmp", "/var/tmp"};
    static const char *const usual[] = {"/proc", "/sys", "/dev"};
    const struct heel_host_mounts *mounts = builder->input->mounts;
    const char *origin = heel_protected_group_origin(HEEL_PROTECTED_ALWAYS);

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(replaced); i++)
        cover_aliases(builder, named, count, replaced[i], true, origin);
    for (size_t i = 0; mounts && i < mounts->count; i++) {
        const struct heel_host_mount *mount = &mounts->items[i];
        bool is_usual = false;

        for (size_t j = 0; j < HEEL_ARRAY_LENGTH(usual); j++)
            is_usual |= heel_path_is_at_or_below(mount->point, usual[j]);
        if (heel_path_is_at_or_below(mount->point, "/run"))
            cover_aliases(builder, named, count, mount->point, true, origin);
        else if (!is_usual && heel_host_mount_is_kernels(mount))
            cover(builder, named, count, mount->point, true, origin);
    }
}

/* A path with a switch of its own follows that switch, not its group's. */
static void hide_protected(struct heel_plan_builder *builder, const struct heel_plan_named *named,
                           size_t count, const char *path, enum heel_protected_group group)
{
    const bool is_home = group == HEEL_PROTECTED_USER_HOME || group == HEEL_PROTECTED_OTHER_HOMES;

    if (heel_plan_find_switch(builder, path))
        return;
    if (group == HEEL_PROTECTED_ALWAYS || heel_protected_group_is_on(builder->input->spec, group))
        hide(builder, named, count, path, !is_home, heel_protected_group_origin(group));
}

/* A secret in a home that is granted in part or whole. It is often a link into a folder of
 * dotfiles, so the target is hidden. The link is resolved here and not with the facts: it may be
 * newer than those. */
static void hide_secret(struct heel_plan_builder *builder, const struct heel_plan_named *named,
                        size_t count, const struct heel_host_secret *secret)
{
    heel_autofree char *canonical = NULL;

    if (!heel_plan_is_visible(builder, named, count, secret->path))
        return;
    canonical = realpath(secret->path, NULL);
    /* A mask needs something to cover. Without mounts a path that doesn't exist yet can be left out
     * of the rules, and stays hidden when it is made. */
    if (canonical || builder->input->bare)
        hide_protected(builder, named, count, canonical ? canonical : secret->path, secret->group);
}

static void hide_switched(struct heel_plan_builder *builder, const struct heel_plan_named *named,
                          size_t count)
{
    for (size_t i = 0; i < builder->switch_count; i++)
        if (builder->switches[i].on)
            hide(builder, named, count, builder->switches[i].path, true, "protection switch");
        else
            note_shown(builder->plan, builder->switches[i].path);
}

/* Whether anything in a home can be seen. If not, its secrets need no look. */
static bool shows_homes(const struct heel_plan_builder *builder, size_t count)
{
    return count > 0 || builder->input->spec->switch_count > 0;
}

void heel_plan_add_hidden(struct heel_plan_builder *builder, const struct heel_plan_named *named,
                          size_t count)
{
    const struct heel_plan_input *input = builder->input;
    const struct heel_host_facts *facts = input->facts;

    for (size_t i = 0; i < facts->user_count; i++)
        hide_protected(builder, named, count, facts->users[i].home,
                       heel_plan_group_of_home(input, &facts->users[i]));
    for (size_t i = 0; i < facts->mask_count; i++)
        hide_protected(builder, named, count, facts->masks[i].path, facts->masks[i].group);
    for (size_t i = 0; i < facts->secret_count && shows_homes(builder, count); i++)
        hide_secret(builder, named, count, &facts->secrets[i]);
    hide_switched(builder, named, count);
    hide_replaced(builder, named, count);
    for (size_t i = 0; input->hidden && input->hidden[i]; i++)
        hide(builder, named, count, input->hidden[i], false, "heel's own");
}
