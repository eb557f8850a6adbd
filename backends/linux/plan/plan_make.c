/* The one pure function from a spec and facts to a plan: the level's own part (plan_system.c), then
 * what the caller named. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backends/linux/kernel/landlock_rights.h"
#include "backends/linux/plan/guards.h"
#include "backends/linux/plan/plan_acting.h"
#include "backends/linux/plan/plan_build.h"

#define HOME_ASIDE "/heel/home" /* where HOME lies when its usual place shows the host's */

/* ---- the builder ---- */

unsigned heel_plan_flags_of(unsigned access)
{
    return (access & HEEL_ACCESS_WRITE ? HEEL_MOUNT_WRITABLE : 0U) |
           (access & HEEL_ACCESS_EXECUTE ? HEEL_MOUNT_EXECUTABLE : 0U);
}

uint64_t heel_plan_rights_of(unsigned access)
{
    uint64_t rights = 0;

    if (access & (HEEL_ACCESS_READ | HEEL_ACCESS_WRITE | HEEL_ACCESS_EXECUTE))
        rights |= HEEL_LANDLOCK_READ;
    if (access & HEEL_ACCESS_WRITE)
        rights |= HEEL_LANDLOCK_WRITE;
    if (access & HEEL_ACCESS_EXECUTE)
        rights |= HEEL_LANDLOCK_EXECUTE;
    return rights;
}

void heel_plan_note_view(struct heel_plan_builder *builder, const char *path, unsigned access)
{
    builder->views =
        heel_xrealloc(builder->views, builder->view_count + 1, sizeof(*builder->views));
    builder->views[builder->view_count++] =
        (struct heel_plan_view){.path = heel_xstrdup(path), .access = access};
}

unsigned heel_plan_level_access(const struct heel_plan_builder *builder, const char *path)
{
    const struct heel_plan_view *nearest = NULL;

    for (size_t i = 0; i < builder->view_count; i++) {
        const struct heel_plan_view *view = &builder->views[i];

        if (heel_path_is_at_or_below(path, view->path) &&
            (!nearest || strlen(view->path) >= strlen(nearest->path)))
            nearest = view;
    }
    return nearest ? nearest->access : 0;
}

void heel_plan_show(struct heel_plan_builder *builder, const char *path, unsigned access,
                    const char *origin)
{
    heel_plan_note_view(builder, path, access);
    heel_plan_add_mount(builder->plan, HEEL_MOUNT_BIND,
                        heel_plan_flags_of(access) | HEEL_MOUNT_OPTIONAL, path, path, origin);
    heel_plan_add_rule(builder->plan, path, heel_plan_rights_of(access), origin);
}

/* ---- what the spec names ---- */

/* Places that can't be granted, with what to do instead. */
static const struct {
    const char *path;
    bool exactly; /* what lies below it may be granted */
    const char *why;
} ungrantable[] = {
    {"/", true, "it is the whole host; choose a level, or name the directories in it"},
    {"/proc", false, "each sandbox has a /proc of its own"},
    {"/sys", false, "each sandbox has a /sys of its own"},
    {"/dev", false, "each sandbox has a /dev of its own"},
    {"/tmp", true, "each sandbox has a /tmp of its own; a directory below it can be named"},
    {"/var/tmp", true, "each sandbox has a /var/tmp of its own; a directory below it can be named"},
    {"/run/media", false, NULL},
    {"/run", false, "sockets of the host's services lie there"},
    {"/var/run", false, "sockets of the host's services lie there"},
};

const char *heel_plan_why_not_grantable(const char *path)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(ungrantable); i++)
        if (ungrantable[i].exactly ? strcmp(path, ungrantable[i].path) == 0
                                   : heel_path_is_at_or_below(path, ungrantable[i].path))
            return ungrantable[i].why;
    return NULL;
}

static int refuse(const struct heel_plan_named *named, const char *field, const char *why,
                  struct heel_error **err)
{
    return heel_error_set_field(err, field, "\"%s\" can't be named: %s", named->path.path, why);
}

static int check_place(const struct heel_plan_input *input, const struct heel_plan_named *named,
                       const char *field, struct heel_error **err)
{
    const char *path = named->path.path, *why;

    for (size_t i = 0; input->hidden && input->hidden[i]; i++) {
        if (heel_path_is_at_or_below(path, input->hidden[i]) && !(named->access & HEEL_ACCESS_DENY))
            return refuse(named, field, "it is a folder of heel's own", err);
    }
    why = heel_plan_why_not_grantable(path);
    return why ? refuse(named, field, why, err) : 0;
}

static struct heel_plan_named *find_same(struct heel_plan_named *all, size_t count,
                                         const char *path)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(all[i].path.path, path) == 0)
            return &all[i];
    return NULL;
}

int heel_plan_resolve_named(const struct heel_plan_input *input, const char *path,
                            struct heel_plan_named *named, struct heel_error **err)
{
    heel_autoerror struct heel_error *error = NULL;
    int result = heel_caller_path_resolve(path, &input->spec->caller, named->access, input->uid,
                                          &named->path, &error);

    /* If the place can't be named by anybody, that error is more useful than that this caller may
     * not open it. */
    if (named->path.path && check_place(input, named, named->field, err) < 0)
        return -1;
    if (result < 0) {
        heel_error_set_field_path(error, named->field);
        return heel_error_propagate(err, &error);
    }
    return 0;
}

void heel_plan_clear_named(struct heel_plan_named *named)
{
    heel_caller_path_clear(&named->path);
    free(named->field);
}

void heel_plan_keep_named(struct heel_plan_named *all, size_t *count, struct heel_plan_named *named)
{
    struct heel_plan_named *same = find_same(all, *count, named->path.path);

    if (same) {
        same->access |= named->access;
        heel_plan_clear_named(named);
    } else {
        all[(*count)++] = *named;
    }
}

/* Rules on one path add up. With write_xor_execute they must not add up to both WRITE and EXECUTE.
 */
static int check_apart(const struct heel_plan_input *input, struct heel_plan_named *all,
                       size_t count, const struct heel_plan_named *named, struct heel_error **err)
{
    const struct heel_plan_named *same = find_same(all, count, named->path.path);
    unsigned both = HEEL_ACCESS_WRITE | HEEL_ACCESS_EXECUTE;

    if (!input->spec->write_xor_execute || !same || ((same->access | named->access) & both) != both)
        return 0;
    return heel_error_set_field(err, named->field,
                                "\"%s\" can't be both written and executed: "
                                "spec.filesystem.write_xor_execute is on, and %s says the other",
                                named->path.path, same->field);
}

/* Takes `field`. */
static int take_named(const struct heel_plan_input *input, const char *path, unsigned access,
                      char *field, const char *origin, struct heel_plan_named *all, size_t *count,
                      struct heel_error **err)
{
    struct heel_plan_named named = {.access = access, .origin = origin, .field = field};

    if (heel_plan_resolve_named(input, path, &named, err) < 0 ||
        check_apart(input, all, *count, &named, err) < 0) {
        heel_plan_clear_named(&named);
        return -1;
    }
    heel_plan_keep_named(all, count, &named);
    return 0;
}

static int check_rule(const struct heel_path_rule *rule, const char *field, struct heel_error **err)
{
    switch (rule->access) {
    case HEEL_ACCESS_READ:
    case HEEL_ACCESS_WRITE:
    case HEEL_ACCESS_EXECUTE:
    case HEEL_ACCESS_DENY:
        return 0;
    default:
        return heel_error_set_field(
            err, field, "the access of a path rule must be READ, WRITE, EXECUTE or DENY");
    }
}

static int take_all(const struct heel_plan_input *input, struct heel_plan_named *all, size_t *count,
                    struct heel_error **err)
{
    const struct heel_sandbox_spec *spec = input->spec;
    unsigned work = HEEL_ACCESS_READ | HEEL_ACCESS_WRITE |
                    (spec->write_xor_execute ? 0U : (unsigned)HEEL_ACCESS_EXECUTE);

    if (spec->write_xor_execute && spec->level == HEEL_LEVEL_PERMISSIVE)
        return heel_error_set_field(err, "spec.filesystem.write_xor_execute",
                                    "at PERMISSIVE everything may be written, so nothing could be "
                                    "executed");
    if (spec->working_dir &&
        take_named(input, spec->working_dir, work, heel_xstrdup("spec.filesystem.working_dir"),
                   "working_dir", all, count, err) < 0)
        return -1;
    if (spec->working_dir && !S_ISDIR(all[0].path.mode))
        return heel_error_set_field(err, all[0].field, "\"%s\" is not a directory",
                                    spec->working_dir);
    for (size_t i = 0; i < spec->path_count; i++) {
        heel_autofree char *access_field = heel_format("spec.filesystem.paths[%zu].access", i);
        char *field;

        if (check_rule(&spec->paths[i], access_field, err) < 0)
            return -1;
        field = heel_format("spec.filesystem.paths[%zu].path", i);
        if (take_named(input, spec->paths[i].path, spec->paths[i].access, field, "path rule", all,
                       count, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- who it runs as ---- */

static char *user_name(const struct heel_plan_input *input)
{
    for (size_t i = 0; i < input->facts->user_count; i++)
        if (input->facts->users[i].uid == input->uid)
            return heel_xstrdup(input->facts->users[i].name);
    return heel_xstrdup("heel");
}

/* HOME is mounted over its usual path, unless that would cover something which the caller named. */
static char *home_dir(const struct heel_plan_input *input, const char *user,
                      const struct heel_plan_named *named, size_t count)
{
    heel_autofree char *home = heel_format("/home/%s", user);
    bool taken = input->spec->level == HEEL_LEVEL_PERMISSIVE;

    for (size_t i = 0; i < count; i++)
        if (!(named[i].access & HEEL_ACCESS_DENY) &&
            heel_path_is_at_or_below(home, named[i].path.path))
            taken = true;
    return taken ? heel_xstrdup(HOME_ASIDE) : heel_steal(home);
}

static void set_paths(struct heel_plan_builder *builder, const struct heel_plan_named *named,
                      size_t count)
{
    const struct heel_plan_input *input = builder->input;
    struct heel_plan *plan = builder->plan;
    bool own = !input->spec->working_dir;

    plan->bare = input->bare;
    plan->uid = input->uid;
    plan->gid = input->gid;
    plan->limits = input->spec->limits;
    plan->paths.user_name = user_name(input);
    plan->paths.host_working_dir = heel_xstrdup(own ? input->work_source : named[0].path.path);
    if (input->bare) {
        plan->paths.home_dir = heel_xstrdup(input->home_source);
        plan->paths.temp_dir = heel_xstrdup(input->temp_source);
        plan->paths.working_dir = heel_xstrdup(plan->paths.host_working_dir);
        return;
    }
    plan->paths.home_dir = home_dir(input, plan->paths.user_name, named, count);
    plan->paths.temp_dir = heel_xstrdup("/tmp");
    plan->paths.working_dir = heel_xstrdup(own ? HEEL_PLAN_WORK : named[0].path.path);
}

static void add_own_work(struct heel_plan_builder *builder)
{
    unsigned access = HEEL_ACCESS_READ | HEEL_ACCESS_WRITE | HEEL_ACCESS_EXECUTE;

    heel_plan_note_view(builder, HEEL_PLAN_WORK, 0);
    heel_plan_add_mount(builder->plan, HEEL_MOUNT_BIND, heel_plan_flags_of(access) | HEEL_MOUNT_OWN,
                        builder->input->work_source, HEEL_PLAN_WORK, "working directory");
    heel_plan_add_rule(builder->plan, HEEL_PLAN_WORK, heel_plan_rights_of(access),
                       "working directory");
}

/* ---- all together ---- */

static void free_named(struct heel_plan_named *named, size_t count)
{
    for (size_t i = 0; i < count; i++)
        heel_plan_clear_named(&named[i]);
    free(named);
}

static int build(struct heel_plan_builder *builder, struct heel_plan_named *named, size_t *count,
                 struct heel_error **err)
{
    if (take_all(builder->input, named, count, err) < 0 ||
        heel_plan_take_switches(builder, named, count, err) < 0)
        return -1;
    set_paths(builder, named, *count);
    if (builder->input->bare)
        return heel_plan_add_bare(builder, named, *count, err) < 0 ||
                       heel_plan_add_hardware(builder, err) < 0
                   ? -1
                   : 0;
    heel_plan_add_system(builder);
    if (heel_plan_add_hardware(builder, err) < 0)
        return -1;
    if (!builder->input->spec->working_dir)
        add_own_work(builder);
    heel_plan_add_hidden(builder, named, *count);
    if (heel_plan_add_named(builder, named, *count, err) < 0 ||
        heel_plan_add_acting(builder, named, *count, err) < 0)
        return -1;
    heel_plan_sort_mounts(builder->plan);
    return 0;
}

int heel_plan_make(const struct heel_plan_input *input, struct heel_plan **plan,
                   struct heel_error **err)
{
    heel_autoplan struct heel_plan *made = heel_xcalloc(1, sizeof(*made));
    struct heel_plan_builder builder = {.input = input, .plan = made};
    struct heel_plan_named *named =
        heel_xcalloc(input->spec->path_count + 1 + heel_plan_switch_room(input), sizeof(*named));
    size_t count = 0;
    int result = -1;

    if (!input->spec->working_dir == !input->work_source ||
        (input->bare && (!input->home_source || !input->temp_source)))
        heel_error_set(
            err, HEEL_INTERNAL, "INTERNAL",
            "a plan needs its folders: either a working directory of its own or a named one");
    else
        result = build(&builder, named, &count, err);
    for (size_t i = 0; i < made->mount_count && !made->guarded; i++)
        made->guarded = heel_guards_want(made, &made->mounts[i]);
    if (result == 0 && input->spec->write_xor_execute)
        heel_plan_separate_writing(made);
    free_named(named, count);
    for (size_t i = 0; i < builder.view_count; i++)
        free(builder.views[i].path);
    free(builder.views);
    heel_plan_clear_switches(&builder);
    if (result == 0)
        *plan = heel_steal(made);
    return result;
}
