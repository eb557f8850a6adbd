/* What stays out of sight: protected paths wherever the level or a grant would show them, and
 * heel's own folders always. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backends/linux/plan_build.h"

static bool is_grant_below(const struct heel_plan_named *named, const char *path)
{
    return !(named->access & HEEL_ACCESS_DENY) &&
           heel_path_is_at_or_below(named->path.path, path) && strcmp(named->path.path, path) != 0;
}

static bool is_granted_itself(const struct heel_plan_named *named, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++)
        if (!(named[i].access & HEEL_ACCESS_DENY) && strcmp(named[i].path.path, path) == 0)
            return true;
    return false;
}

/* Inside the mask, at `source` in the root's tmpfs, a place for each grant to be bound to. */
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

static void hide(struct heel_plan_builder *builder, const struct heel_plan_named *named,
                 size_t count, const char *path, const char *origin)
{
    bool has_grants = false;
    heel_autofree char *source = NULL;

    if (!heel_plan_is_visible(builder, named, count, path) || is_granted_itself(named, count, path))
        return;
    for (size_t i = 0; i < count; i++)
        has_grants |= is_grant_below(&named[i], path);
    heel_plan_note_view(builder, path, 0);
    if (builder->input->bare)
        return; /* no rule comes near it */
    if (!has_grants) {
        heel_plan_add_mount(builder->plan, HEEL_MOUNT_MASK, HEEL_MOUNT_OPTIONAL, NULL, path,
                            origin);
        return;
    }
    source = heel_format("/.hidden/%zu", builder->view_count);
    add_places(builder->plan, source, path, named, count, origin);
    heel_plan_add_mount(builder->plan, HEEL_MOUNT_SCRATCH, 0, source, path, origin);
}

/* Below a home that was laid open in part or whole. Often a link into a folder of configuration
 * files, so it is what it leads to that is hidden. Looked up here rather than with the facts, as it
 * may be younger than those. */
static void hide_secret(struct heel_plan_builder *builder, const struct heel_plan_named *named,
                        size_t count, const struct heel_host_secret *secret)
{
    heel_autofree char *canonical = NULL;

    if (!heel_plan_is_visible(builder, named, count, secret->path))
        return;
    canonical = realpath(secret->path, NULL);
    /* Where rules alone hide it, it stays hidden when it comes to be. */
    if (canonical || builder->input->bare)
        hide(builder, named, count, canonical ? canonical : secret->path,
             heel_protected_group_origin(secret->group));
}

void heel_plan_add_hidden(struct heel_plan_builder *builder, const struct heel_plan_named *named,
                          size_t count)
{
    const struct heel_plan_input *input = builder->input;
    const struct heel_host_facts *facts = input->facts;
    bool protects = input->spec->level != HEEL_LEVEL_PERMISSIVE;

    for (size_t i = 0; i < facts->user_count && protects; i++)
        hide(builder, named, count, facts->users[i].home, "protection: user home");
    for (size_t i = 0; i < facts->mask_count; i++)
        if (protects || facts->masks[i].group == HEEL_PROTECTED_SERVICES)
            hide(builder, named, count, facts->masks[i].path,
                 heel_protected_group_origin(facts->masks[i].group));
    for (size_t i = 0; i < facts->secret_count && protects && count > 0; i++)
        hide_secret(builder, named, count, &facts->secrets[i]);
    for (size_t i = 0; input->hidden && input->hidden[i]; i++)
        hide(builder, named, count, input->hidden[i], "heel's own");
}
