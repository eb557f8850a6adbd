/* How a sandbox ends, step by step: its processes, what it left on disk, its handles. */
#include "backends/linux/linux_sandbox.h"

#include <unistd.h>

/* Gives the launcher the plan, from which it makes the template for the next sandboxes in these
 * namespaces. */
static void hand_plan_on(struct linux_sandbox *sandbox)
{
    const struct heel_buffer *plan = &sandbox->preparation.encoded;
    struct heel_message message = {.type = HEEL_LAUNCHER_PLAN,
                                   .id = sandbox->serial,
                                   .payload = plan->data,
                                   .length = plan->length};

    /* A plan that was made for another state of the host makes no template. */
    if (sandbox->plan_wanted && !sandbox->dead && !linux_backend_of(sandbox)->launcher_gone &&
        sandbox->preparation.facts == linux_backend_of(sandbox)->facts.latest &&
        sandbox->preparation.mounts == heel_mount_watch_latest(&linux_backend_of(sandbox)->mounts))
        heel_channel_send(&linux_backend_of(sandbox)->launcher, &message);
}

void linux_sandbox_destroy(struct heel_sandbox *base, heel_on_deleted *on_deleted, void *data)
{
    struct linux_sandbox *sandbox = linux_sandbox_of(base);

    sandbox->on_deleted = on_deleted;
    sandbox->deleted_data = data;
    sandbox->ending = true;
    hand_plan_on(sandbox);
    linux_sandbox_kill(sandbox);
    /* Already dead: from the loop, not from inside this call. */
    if (sandbox->dead)
        linux_sandbox_advance_later(sandbox);
}

static void remove_in_pool(struct heel_lane_work *work)
{
    struct linux_sandbox *sandbox = heel_container_of(work, struct linux_sandbox, work);
    struct heel_preparation *preparation = &sandbox->preparation;

    bool reusable = preparation->work.path && preparation->reuse_work &&
                    heel_work_dir_untouched(&preparation->work) &&
                    heel_work_dir_set_aside(&preparation->work, NULL) == 0;

    if (preparation->work.path && !reusable)
        heel_work_dir_remove(&preparation->work, &preparation->error);
    if (preparation->own.path)
        heel_work_dir_remove(&preparation->own, preparation->error ? NULL : &preparation->error);
    if (sandbox->created)
        heel_preparation_find_left(preparation);
    /* A working directory is kept for what the sandbox did in it. A sandbox that could not be made
     * did nothing. */
    else if (preparation->kept)
        rmdir(preparation->kept);
}

/* A working directory that still has a path was set aside to be used again, or could not be
 * removed: then there is an error. */
static void reuse_work_dir(struct linux_backend *backend, struct heel_preparation *preparation)
{
    if (preparation->work.path && !preparation->error)
        heel_work_dirs_give(&backend->work_dirs, &preparation->work);
}

static void on_removed(struct heel_lane_work *work)
{
    struct linux_sandbox *sandbox = heel_container_of(work, struct linux_sandbox, work);

    sandbox->working = false;
    sandbox->removed = true;
    reuse_work_dir(linux_backend_of(sandbox), &sandbox->preparation);
    if (!sandbox->error)
        sandbox->error = heel_steal(sandbox->preparation.error);
    linux_sandbox_end(sandbox);
}

static void queue_removal(struct linux_sandbox *sandbox)
{
    struct linux_backend *backend = linux_backend_of(sandbox);

    sandbox->working = true;
    sandbox->preparation.reuse_work = !heel_work_dirs_full(&backend->work_dirs);
    heel_lane_queue(&backend->removals, &sandbox->work, remove_in_pool, on_removed);
}

static void report_deleted(struct linux_sandbox *sandbox)
{
    const struct heel_acting_files *left = &sandbox->preparation.left;
    heel_autofree struct heel_left_file *files = heel_xcalloc(left->count, sizeof *files);
    const struct heel_sandbox_end end = {.error = sandbox->error,
                                         .files = files,
                                         .file_count = left->count,
                                         .incomplete = left->incomplete != NULL};

    for (size_t i = 0; i < left->count; i++)
        files[i] = (struct heel_left_file){left->items[i].path, left->items[i].reason};
    sandbox->on_deleted(&end, sandbox->deleted_data);
}

static void report_end(struct linux_sandbox *sandbox)
{
    if (sandbox->created)
        report_deleted(sandbox);
    else
        sandbox->on_created(NULL, sandbox->error, sandbox->data);
}

static void on_part_closed(void *data)
{
    struct linux_sandbox *sandbox = data;
    struct linux_backend *backend = linux_backend_of(sandbox);

    if (--sandbox->closing > 0)
        return;
    heel_identity_return(&backend->identities, &sandbox->identity);
    *sandbox->previous = sandbox->next;
    if (sandbox->next)
        sandbox->next->previous = sandbox->previous;
    report_end(sandbox);
    heel_error_free(sandbox->error);
    heel_preparation_clear(&sandbox->preparation);
    heel_report_clear(&sandbox->report);
    free(sandbox);
}

static void on_handle_closed(uv_handle_t *handle)
{
    on_part_closed(handle->data);
}

static void close_handle(struct linux_sandbox *sandbox, uv_handle_t *handle)
{
    handle->data = sandbox;
    sandbox->closing++;
    uv_close(handle, on_handle_closed);
}

static void close_handles(struct linux_sandbox *sandbox)
{
    if (sandbox->guards) {
        sandbox->closing++;
        linux_guards_close(heel_steal(sandbox->guards), on_part_closed, sandbox);
    }
    if (sandbox->supervisor) {
        sandbox->closing++;
        linux_supervisor_close(heel_steal(sandbox->supervisor), on_part_closed, sandbox);
    }
    if (sandbox->control_open) {
        sandbox->control_open = false;
        sandbox->control.poll.data = sandbox;
        sandbox->closing++;
        heel_channel_close(&sandbox->control, on_handle_closed);
    }
    if (sandbox->init_end >= 0)
        close(heel_steal_fd(&sandbox->init_end));
    if (sandbox->cgroup >= 0)
        close(heel_steal_fd(&sandbox->cgroup));
    if (sandbox->born) {
        close_handle(sandbox, (uv_handle_t *)&sandbox->death);
        close(heel_steal_fd(&sandbox->pidfd));
    }
    close_handle(sandbox, (uv_handle_t *)&sandbox->watchdog);
}

void linux_sandbox_end(struct linux_sandbox *sandbox)
{
    if (sandbox->closing > 0 || sandbox->working || sandbox->metering || sandbox->asked ||
        (sandbox->born && !sandbox->dead))
        return;
    if (!sandbox->removed && sandbox->preparation.instance_path) {
        queue_removal(sandbox);
        return;
    }
    close_handles(sandbox);
}
