/* What the spec's switches of protections come to: paths that are shown or hidden against the rest
 * of their group, and homes that DEFAULT shows after all. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backends/linux/plan/plan_build.h"

#define ORIGIN "protection switch"

static bool is_in_home(const struct heel_host_facts *facts, const char *path)
{
    for (size_t i = 0; i < facts->user_count; i++)
        if (heel_path_is_at_or_below(path, facts->users[i].home))
            return true;
    return false;
}

/* The mask outside homes at or above `path`, or NULL. */
static const struct heel_host_secret *find_mask(const struct heel_host_facts *facts,
                                                const char *path)
{
    for (size_t i = 0; i < facts->mask_count; i++)
        if (heel_path_is_at_or_below(path, facts->masks[i].path))
            return &facts->masks[i];
    return NULL;
}

/* Whether `path` is a secret of some home, or lies in one. Secrets are compared by their canonical
 * paths: they may be links out of the home. */
static bool is_secret(const struct heel_host_facts *facts, const char *path)
{
    for (size_t i = 0; i < facts->secret_count; i++) {
        heel_autofree char *canonical = realpath(facts->secrets[i].path, NULL);

        if (canonical && heel_path_is_at_or_below(path, canonical))
            return true;
    }
    return false;
}

static int check_protected(const struct heel_host_facts *facts, const char *path, const char *field,
                           struct heel_error **err)
{
    const struct heel_host_secret *mask = find_mask(facts, path);

    if (mask && mask->group == HEEL_PROTECTED_ALWAYS)
        return heel_error_set_field(
            err, field, "\"%s\" can't be switched: sockets of services or files of heel lie there",
            path);
    if (mask || is_in_home(facts, path) || is_secret(facts, path))
        return 0;
    return heel_error_set_field(
        err, field, "\"%s\" is no protected path: a path rule grants or denies it", path);
}

const struct heel_plan_switch *heel_plan_find_switch(const struct heel_plan_builder *builder,
                                                     const char *path)
{
    for (size_t i = 0; i < builder->switch_count; i++)
        if (strcmp(builder->switches[i].path, path) == 0)
            return &builder->switches[i];
    return NULL;
}

static void note_switch(struct heel_plan_builder *builder, const char *path, bool on)
{
    builder->switches =
        heel_xrealloc(builder->switches, builder->switch_count + 1, sizeof(*builder->switches));
    builder->switches[builder->switch_count++] =
        (struct heel_plan_switch){.path = heel_xstrdup(path), .on = on};
}

/* READ, and for directories EXECUTE as well, as DEFAULT shows everything else. A single file of a
 * home is data and not executed. */
static void show(struct heel_plan_named *named, struct heel_plan_named *all, size_t *count)
{
    if (S_ISDIR(named->path.mode))
        named->access |= HEEL_ACCESS_EXECUTE;
    heel_plan_keep_named(all, count, named);
}

static int take_path(struct heel_plan_builder *builder, const struct heel_protection_switch *given,
                     struct heel_plan_named *all, size_t *count, struct heel_error **err)
{
    const struct heel_plan_input *input = builder->input;
    struct heel_plan_named named = {
        .access = given->on ? HEEL_ACCESS_DENY : HEEL_ACCESS_READ,
        .origin = ORIGIN,
        .field = heel_format("spec.filesystem.protections[%zu].path", given->place),
    };
    int result = heel_plan_resolve_named(input, given->path, &named, err);

    if (result == 0)
        result = check_protected(input->facts, named.path.path, named.field, err);
    if (result == 0)
        note_switch(builder, named.path.path, given->on);
    if (result == 0 && !given->on && input->spec->level != HEEL_LEVEL_PERMISSIVE)
        show(&named, all, count);
    else
        heel_plan_clear_named(&named);
    return result;
}

/* A home that the caller can't open stays as the level has it. */
static void show_home(struct heel_plan_builder *builder, const struct heel_host_user *user,
                      struct heel_plan_named *all, size_t *count)
{
    struct heel_plan_named named = {.access = HEEL_ACCESS_READ,
                                    .origin = ORIGIN,
                                    .field = heel_xstrdup("spec.filesystem.protections")};

    if (!heel_plan_find_switch(builder, user->home) &&
        heel_plan_resolve_named(builder->input, user->home, &named, NULL) == 0)
        show(&named, all, count);
    else
        heel_plan_clear_named(&named);
}

enum heel_protected_group heel_plan_group_of_home(const struct heel_plan_input *input,
                                                  const struct heel_host_user *user)
{
    return user->uid == input->spec->caller.uid ? HEEL_PROTECTED_USER_HOME
                                                : HEEL_PROTECTED_OTHER_HOMES;
}

size_t heel_plan_switch_room(const struct heel_plan_input *input)
{
    return input->spec->switch_count ? input->spec->switch_count + input->facts->user_count : 0;
}

int heel_plan_take_switches(struct heel_plan_builder *builder, struct heel_plan_named *all,
                            size_t *count, struct heel_error **err)
{
    const struct heel_plan_input *input = builder->input;
    const struct heel_sandbox_spec *spec = input->spec;

    for (size_t i = 0; i < spec->switch_count; i++)
        if (spec->switches[i].path && take_path(builder, &spec->switches[i], all, count, err) < 0)
            return -1;
    for (size_t i = 0; i < input->facts->user_count && spec->level == HEEL_LEVEL_DEFAULT; i++)
        if (!heel_protected_group_is_on(spec,
                                        heel_plan_group_of_home(input, &input->facts->users[i])))
            show_home(builder, &input->facts->users[i], all, count);
    return 0;
}

void heel_plan_clear_switches(struct heel_plan_builder *builder)
{
    for (size_t i = 0; i < builder->switch_count; i++)
        free(builder->switches[i].path);
    free(builder->switches);
}
