#include "backends/linux/prepare.h"

#include <string.h>
#include <unistd.h>

#include "backends/linux/facts/host_mounts.h"
#include "backends/linux/plan/guards.h"
#include "backends/linux/plan/plan_acting.h"
#include "backends/linux/state/state_dir.h"

static void copy_paths(struct heel_sandbox_spec *to, const struct heel_sandbox_spec *from)
{
    struct heel_path_rule *paths = heel_xcalloc(from->path_count, sizeof *paths);

    for (size_t i = 0; i < from->path_count; i++)
        paths[i] =
            (struct heel_path_rule){heel_xstrdup(from->paths[i].path), from->paths[i].access};
    to->paths = paths;
}

static void copy_switches(struct heel_sandbox_spec *to, const struct heel_sandbox_spec *from)
{
    struct heel_protection_switch *switches = heel_xcalloc(from->switch_count, sizeof *switches);

    for (size_t i = 0; i < from->switch_count; i++) {
        switches[i] = from->switches[i];
        switches[i].path = heel_xstrdup(from->switches[i].path);
    }
    to->switches = switches;
}

static void copy_groups(struct heel_caller *to, const struct heel_caller *from)
{
    gid_t *groups = heel_xcalloc(from->group_count, sizeof *groups);

    if (from->group_count)
        memcpy(groups, from->groups, from->group_count * sizeof *groups);
    to->groups = groups;
}

void heel_preparation_init(struct heel_preparation *preparation,
                           const struct heel_sandbox_spec *spec)
{
    *preparation = (struct heel_preparation){.spec = *spec};
    preparation->spec.id = heel_xstrdup(spec->id);
    preparation->spec.working_dir = heel_xstrdup(spec->working_dir);
    copy_paths(&preparation->spec, spec);
    copy_switches(&preparation->spec, spec);
    copy_groups(&preparation->spec.caller, &spec->caller);
}

/* A working directory of the sandbox's own, if it is to have one. */
static int make_work(struct heel_preparation *preparation)
{
    const struct heel_sandbox_spec *spec = &preparation->spec;
    const struct heel_identity *identity = &preparation->identity;

    if (spec->working_dir)
        return 0;
    if (preparation->work.path)
        return heel_work_dir_move(&preparation->work, preparation->instance_path,
                                  preparation->work_number, &preparation->error);
    if (spec->keep_working_dir)
        return heel_state_make_kept(preparation->state_dir, spec->id, identity->uid, identity->gid,
                                    &preparation->kept, &preparation->error);
    return heel_work_dir_make(preparation->instance_path, preparation->work_number, identity->uid,
                              identity->gid, &preparation->work, &preparation->error);
}

static int make_own(struct heel_preparation *preparation)
{
    const struct heel_identity *identity = &preparation->identity;

    if (!preparation->bare)
        return 0;
    return heel_work_dir_make_own(preparation->instance_path, preparation->work_number,
                                  identity->uid, identity->gid, &preparation->own,
                                  &preparation->error);
}

static void take_paths(struct heel_preparation *preparation)
{
    const struct heel_plan *plan = preparation->plan;

    preparation->paths = (struct heel_sandbox_paths){
        .working_dir = plan->paths.working_dir,
        .home_dir = plan->paths.home_dir,
        .temp_dir = plan->paths.temp_dir,
        .host_working_dir = plan->paths.host_working_dir,
        .user_name = plan->paths.user_name,
        .other_owner = !preparation->bare &&
                       preparation->identity.uid != preparation->spec.caller.uid &&
                       (preparation->spec.working_dir || preparation->spec.path_count > 0),
    };
}

/* Heel's own folders and files, which no sandbox sees. NULL-terminated; the caller's. */
static const char **list_hidden(const struct heel_preparation *preparation)
{
    const char **hidden;
    size_t files = 0, count = 0;

    while (preparation->own_files && preparation->own_files[files])
        files++;
    hidden = heel_xcalloc(files + 3, sizeof *hidden);
    hidden[count++] = preparation->state_dir;
    if (preparation->runtime_dir)
        hidden[count++] = preparation->runtime_dir;
    for (size_t i = 0; i < files; i++)
        hidden[count++] = preparation->own_files[i];
    return hidden;
}

int heel_preparation_plan(struct heel_preparation *preparation)
{
    const struct heel_identity *identity = &preparation->identity;
    heel_autofree const char **hidden = list_hidden(preparation);
    heel_autofree char *home = NULL;
    heel_autofree char *temp = NULL;
    struct heel_plan_input input = {.spec = &preparation->spec,
                                    .facts = preparation->facts,
                                    .mounts = preparation->mounts,
                                    .work_source = preparation->kept ? preparation->kept
                                                                     : preparation->work.path,
                                    .hidden = hidden,
                                    .bare = preparation->bare,
                                    .uid = identity->uid,
                                    .gid = identity->gid};

    if (input.bare) {
        input.home_source = home = heel_format("%s/" HEEL_WORK_DIR_HOME, preparation->own.path);
        input.temp_source = temp = heel_format("%s/" HEEL_WORK_DIR_TEMP, preparation->own.path);
    }
    return heel_plan_make(&input, &preparation->plan, &preparation->error);
}

void heel_preparation_run(struct heel_preparation *preparation)
{
    if (make_work(preparation) || make_own(preparation) || heel_preparation_plan(preparation))
        return;
    if (preparation->plan->guarded) {
        preparation->inotify = heel_guards_watch(preparation->plan, &preparation->watches);
        preparation->plan->guarded = preparation->watches != NULL;
        preparation->plan->unguarded = !preparation->watches;
    }
    preparation->plan->audited = preparation->audited;
    heel_plan_encode(preparation->plan, &preparation->encoded);
    take_paths(preparation);
}

void heel_preparation_find_left(struct heel_preparation *preparation)
{
    heel_autoerror struct heel_error *error = NULL;

    if (heel_plan_find_new_acting(preparation->plan, &preparation->spec.caller, &preparation->left,
                                  &error) < 0)
        preparation->left.incomplete = heel_xstrdup(error->message);
}

void heel_preparation_clear(struct heel_preparation *preparation)
{
    struct heel_sandbox_spec *spec = &preparation->spec;

    for (size_t i = 0; i < spec->path_count; i++)
        free((void *)(uintptr_t)spec->paths[i].path);
    for (size_t i = 0; i < spec->switch_count; i++)
        free((void *)(uintptr_t)spec->switches[i].path);
    free((void *)(uintptr_t)spec->paths);
    free((void *)(uintptr_t)spec->switches);
    free((void *)(uintptr_t)spec->caller.groups);
    free((void *)(uintptr_t)spec->working_dir);
    free((void *)(uintptr_t)spec->id);
    free(preparation->work.path);
    free(preparation->own.path);
    free(preparation->kept);
    heel_host_facts_release(preparation->facts);
    heel_host_mounts_release(preparation->mounts);
    heel_plan_free(preparation->plan);
    heel_acting_files_clear(&preparation->left);
    if (preparation->watches)
        close(preparation->inotify);
    free(preparation->watches);
    heel_buffer_free(&preparation->encoded);
    heel_error_free(preparation->error);
    *preparation = (struct heel_preparation){0};
}
