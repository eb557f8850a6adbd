/* One sandbox from heeld's side: made by the launcher and a pool thread at the same time, ended
 * step by step. */
#include "backends/linux/linux.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backends/linux/limits/cgroup.h"

#define SILENCE_MS 30000 /* an init that owes an answer for so long is killed */
static void advance(struct linux_sandbox *sandbox);
static void end(struct linux_sandbox *sandbox);

static struct linux_backend *backend_of(const struct linux_sandbox *sandbox)
{
    return heel_container_of(sandbox->base.backend, struct linux_backend, base);
}

static struct linux_sandbox *sandbox_of(const struct heel_sandbox *base)
{
    return heel_container_of((struct heel_sandbox *)(uintptr_t)base, struct linux_sandbox, base);
}

struct linux_sandbox *linux_sandbox_find(struct linux_backend *backend, uint32_t serial)
{
    struct linux_sandbox *sandbox = backend->sandboxes;

    while (sandbox && sandbox->serial != serial)
        sandbox = sandbox->next;
    return sandbox;
}

/* It is not to be, or not to go on: keeps the first error, which is the cause of any other. */
static void fail(struct linux_sandbox *sandbox, struct heel_error *error)
{
    if (sandbox->error || sandbox->created)
        heel_error_free(error);
    else
        sandbox->error = error;
    if (!sandbox->created)
        sandbox->ending = true;
    linux_sandbox_kill(sandbox);
    advance(sandbox);
}

/* ---- init */

static void on_limit(struct heel_meter *meter, enum heel_limit limit)
{
    linux_process_kill_all(heel_container_of(meter, struct linux_sandbox, meter), limit);
}

static void on_meter_closed(struct heel_meter *meter)
{
    struct linux_sandbox *sandbox = heel_container_of(meter, struct linux_sandbox, meter);

    sandbox->metering = false;
    advance(sandbox);
}

static unsigned count_helpers(const struct heel_meter *meter)
{
    const struct linux_sandbox *sandbox = heel_container_of(meter, struct linux_sandbox, meter);

    return sandbox->supervisor ? linux_supervisor_hands(sandbox->supervisor) : 0;
}

/* Who can't be let in is not to run outside. */
static int send_group(struct linux_sandbox *sandbox, struct heel_error **err)
{
    int door = sandbox->cgroup < 0 ? -1 : heel_cgroup_open_door(sandbox->cgroup);

    if (sandbox->cgroup < 0)
        return 0;
    if (door < 0)
        return heel_error_set_errno(err, errno, "cannot open a sandbox's cgroup");
    heel_channel_send(
        &sandbox->control,
        &(struct heel_message){.type = HEEL_INIT_GROUP, .fds = {door}, .fd_count = 1});
    return 0;
}

/* Once init has said from where it can be seen, and the launcher what cgroup it has. */
static void start_meter(struct linux_sandbox *sandbox)
{
    static const struct heel_meter_events events = {on_limit, on_meter_closed, count_helpers};
    const struct heel_preparation *preparation = &sandbox->preparation;
    struct heel_meter_view view = {
        .vantage = sandbox->vantage,
        .cgroup = sandbox->cgroup,
        .work_dir = preparation->spec.working_dir ? NULL : preparation->paths.host_working_dir,
    };

    if (sandbox->vantage.proc < 0)
        return;
    heel_meter_open(&sandbox->meter, &backend_of(sandbox)->meter_clock, &preparation->spec.limits,
                    &view, &events);
    sandbox->vantage = (struct heel_vantage)HEEL_VANTAGE_NONE;
}

/* Takes the message's last descriptor, if it is a listener. Without one a sandbox that was to be
 * supervised could not connect to anything. */
static int supervise(struct linux_sandbox *sandbox, bool supervised, struct heel_message *message,
                     struct heel_error **err)
{
    int listener;

    if (!supervised)
        return 0;
    if (message->fd_count == 0)
        return heel_error_set_errno(err, EMFILE, "cannot hold another sandbox");
    listener = message->fds[--message->fd_count];
    sandbox->supervisor =
        linux_supervisor_open(backend_of(sandbox)->loop, listener, &sandbox->control, err);
    return sandbox->supervisor ? 0 : -1;
}

static void on_ready(struct linux_sandbox *sandbox, struct heel_message *message)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    struct heel_error *error = NULL;
    bool supervised;

    linux_sandbox_answered(sandbox);
    sandbox->has_own_quotas = heel_get_u32(&reader) == 1;
    sandbox->unsupervised = (int)heel_get_u32(&reader);
    supervised = heel_get_u32(&reader) == 1;
    if (supervise(sandbox, supervised, message, &error)) {
        fail(sandbox, error);
        return;
    }
    if (heel_vantage_take(&sandbox->vantage, message)) {
        sandbox->vantage.holder = (pid_t)heel_get_u32(&reader);
        sandbox->vantage.nursery = (pid_t)heel_get_u32(&reader);
    }
    sandbox->ready = true;
    advance(sandbox);
}

static void on_failed(struct linux_sandbox *sandbox, struct heel_message *message)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    struct heel_error *error = NULL;

    if (sandbox->ready)
        return;
    heel_get_error(&reader, &error);
    fail(sandbox, error);
}

static void on_pause_answer(struct linux_sandbox *sandbox, struct heel_message *message)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    heel_on_paused *on_paused = heel_steal(sandbox->on_paused);
    heel_autoerror struct heel_error *error = NULL;

    if (!on_paused)
        return;
    linux_sandbox_answered(sandbox);
    if (message->length > 0)
        heel_get_error(&reader, &error);
    if (!sandbox->ending)
        on_paused(&sandbox->base, error, sandbox->paused_data);
}

void linux_sandbox_pause(struct heel_sandbox *base, bool pause, heel_on_paused *on_paused,
                         void *data)
{
    struct linux_sandbox *sandbox = sandbox_of(base);
    heel_autobuffer struct heel_buffer payload = {0};
    struct heel_message message = {.type = HEEL_INIT_PAUSE};

    heel_put_u32(&payload, pause);
    message.payload = payload.data;
    message.length = payload.length;
    sandbox->on_paused = on_paused;
    sandbox->paused_data = data;
    linux_sandbox_expect_answer(sandbox);
    if (sandbox->control_open)
        heel_channel_send(&sandbox->control, &message);
}

static void on_mounts(struct linux_sandbox *sandbox, struct heel_message *message)
{
    int mounts = heel_message_take_fd(message, 0);

    if (mounts >= 0 && sandbox->preparation.watches)
        sandbox->guards =
            linux_guards_open(backend_of(sandbox), sandbox->serial, &sandbox->preparation, mounts);
    else if (mounts >= 0)
        close(mounts);
}

static void on_control_message(struct heel_channel *channel, struct heel_message *message)
{
    struct linux_sandbox *sandbox = heel_container_of(channel, struct linux_sandbox, control);

    if (message->type == HEEL_INIT_READY && !sandbox->ready)
        on_ready(sandbox, message);
    else if (message->type == HEEL_INIT_FAILED)
        on_failed(sandbox, message);
    else if (message->type == HEEL_INIT_HAND_GONE && sandbox->supervisor)
        linux_supervisor_hand_gone(sandbox->supervisor);
    else if (message->type == HEEL_INIT_MOUNTS && !sandbox->ready)
        on_mounts(sandbox, message);
    else if (message->type == HEEL_INIT_PAUSED)
        on_pause_answer(sandbox, message);
    else
        linux_process_on_message(sandbox, message);
}

/* Init is dying, or mad: its death is what counts. */
static void on_control_end(struct heel_channel *channel)
{
    linux_sandbox_kill(heel_container_of(channel, struct linux_sandbox, control));
}

void linux_sandbox_kill(struct linux_sandbox *sandbox)
{
    if (!sandbox->born || sandbox->dead || sandbox->killed)
        return;
    sandbox->killed = true;
    /* Init's death is everyone's in its namespace; a holder ends when it has killed everyone. */
    syscall(SYS_pidfd_send_signal, sandbox->pidfd,
            backend_of(sandbox)->host.namespaces ? SIGKILL : SIGTERM, NULL, 0);
}

static void on_silence(uv_timer_t *timer)
{
    struct linux_sandbox *sandbox = heel_container_of(timer, struct linux_sandbox, watchdog);
    struct heel_error *error = NULL;

    heel_error_set(&error, HEEL_DEADLINE_EXCEEDED, NULL,
                   "the sandbox's init did not answer within %d s", SILENCE_MS / 1000);
    fail(sandbox, error);
}

void linux_sandbox_expect_answer(struct linux_sandbox *sandbox)
{
    sandbox->unanswered++;
    if (sandbox->unanswered == 1)
        uv_timer_start(&sandbox->watchdog, on_silence, SILENCE_MS, 0);
}

void linux_sandbox_answered(struct linux_sandbox *sandbox)
{
    if (sandbox->unanswered > 0)
        sandbox->unanswered--;
    if (sandbox->unanswered == 0)
        uv_timer_stop(&sandbox->watchdog);
    else
        uv_timer_start(&sandbox->watchdog, on_silence, SILENCE_MS, 0);
}

/* Everything in the pid namespace is dead once its init is. What it said before is still to be
 * heard. */
static void on_death(uv_poll_t *poll, int status, int events)
{
    struct linux_sandbox *sandbox = heel_container_of(poll, struct linux_sandbox, death);
    struct heel_error *error = NULL;

    (void)status;
    (void)events;
    uv_poll_stop(poll);
    if (sandbox->control_open)
        heel_channel_drain(&sandbox->control);
    sandbox->dead = true;
    sandbox->metering = !heel_meter_close(&sandbox->meter);
    heel_vantage_close(&sandbox->vantage);
    uv_timer_stop(&sandbox->watchdog);
    linux_process_all_dead(sandbox);
    if (sandbox->created && !sandbox->ending) {
        sandbox->on_lost(&sandbox->base, sandbox->data);
        return;
    }
    if (!sandbox->created)
        heel_error_set(&error, HEEL_INTERNAL, NULL,
                       "the sandbox's init died while it was being set up");
    fail(sandbox, error);
}

/* ---- making */

/* The level of a sandbox that is like any other of its level and uid, but for its working
 * directory. Whatever else of a spec has to do with the plan must be looked at here. */
static int plain_level(const struct heel_sandbox_spec *spec)
{
    bool plain = !spec->working_dir && !spec->keep_working_dir && spec->path_count == 0 &&
                 spec->switch_count == 0 && !spec->write_xor_execute && !spec->hardware &&
                 !spec->run_as.given;

    return plain ? (int)spec->level : -1;
}

static void ask_launcher(struct linux_sandbox *sandbox, bool with_plan)
{
    const struct heel_preparation *preparation = &sandbox->preparation;
    struct heel_create_request request = {
        .uid = sandbox->identity.uid,
        .gid = sandbox->identity.gid,
        .named = sandbox->identity.named,
        .next_uid = heel_identity_next(&backend_of(sandbox)->identities),
        .level = plain_level(&preparation->spec),
        .limits = preparation->spec.limits,
    };
    heel_autobuffer struct heel_buffer payload = {0};
    struct heel_message message = {.type = HEEL_LAUNCHER_CREATE, .id = sandbox->serial};

    if (with_plan) {
        request.caller = preparation->spec.caller;
        request.plan = preparation->encoded.data;
        request.plan_length = preparation->encoded.length;
    }
    heel_put_create(&payload, &request);
    message.payload = payload.data;
    message.length = payload.length;
    message.fds[message.fd_count++] = heel_steal_fd(&sandbox->init_end);
    sandbox->asked = true;
    heel_channel_send(&backend_of(sandbox)->launcher, &message);
}

static void send_plan(struct linux_sandbox *sandbox)
{
    const struct heel_buffer *plan = &sandbox->preparation.encoded;
    struct heel_message message = {
        .type = HEEL_INIT_PLAN, .payload = plan->data, .length = plan->length};

    linux_sandbox_expect_answer(sandbox);
    heel_channel_send(&sandbox->control, &message);
}

/* Root's sandboxes have uids that could not open what root named, and callers' descriptors are
 * opened with the caller's rights: the launcher does that, and needs the plan. */
static bool launcher_needs_plan(const struct linux_sandbox *sandbox)
{
    const struct heel_sandbox_spec *spec = &sandbox->preparation.spec;

    return backend_of(sandbox)->host.namespaces &&
           (sandbox->identity.uid != geteuid() || sandbox->identity.named) &&
           (spec->working_dir || spec->path_count > 0 || spec->switch_count > 0);
}

static void prepare_in_pool(uv_work_t *work)
{
    heel_preparation_run(&heel_container_of(work, struct linux_sandbox, work)->preparation);
}

static void on_prepared(uv_work_t *work, int status)
{
    struct linux_sandbox *sandbox = heel_container_of(work, struct linux_sandbox, work);

    (void)status;
    sandbox->working = false;
    if (sandbox->preparation.error) {
        fail(sandbox, heel_steal(sandbox->preparation.error));
        return;
    }
    if (sandbox->ending || backend_of(sandbox)->launcher_gone) {
        fail(sandbox, NULL);
        return;
    }
    if (launcher_needs_plan(sandbox))
        ask_launcher(sandbox, true);
    send_plan(sandbox);
}

static int open_control(struct linux_sandbox *sandbox, struct heel_error **err)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return heel_error_set_errno(err, errno, "cannot make a socket for a sandbox");
    if (heel_channel_open(&sandbox->control,
                          sandbox->base.backend ? backend_of(sandbox)->loop : NULL, ends[0],
                          on_control_message, on_control_end, err)) {
        close(ends[1]);
        return -1;
    }
    sandbox->control_open = true;
    sandbox->init_end = ends[1];
    return 0;
}

static int host_unsupported(const struct heel_host_check *lacking, struct heel_error **err)
{
    heel_error_set(err, HEEL_FAILED_PRECONDITION, "HOST_UNSUPPORTED",
                   "this host can't hold sandboxes: %s: have %s, need %s%s%s", lacking->name,
                   lacking->have, lacking->need, *lacking->remedy ? "; " : "", lacking->remedy);
    if (err) {
        heel_error_add_metadata(*err, "feature", "%s", lacking->name);
        heel_error_add_metadata(*err, "have", "%s", lacking->have);
        heel_error_add_metadata(*err, "need", "%s", lacking->need);
    }
    return -1;
}

int linux_check_host(const struct linux_backend *backend, struct heel_error **err)
{
    if (backend->launcher_gone)
        return heel_error_set(err, HEEL_INTERNAL, "INTERNAL",
                              "the launcher of sandboxes has died; heeld must be started again");
    for (size_t i = 0; i < backend->host.check_count; i++)
        if (backend->host.checks[i].required && !backend->host.checks[i].passed)
            return host_unsupported(&backend->host.checks[i], err);
    return 0;
}

/* Names become folders. */
static int check_id(const char *id, struct heel_error **err)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t length = id ? strlen(id) : 0;

    if (length > 0 && length <= 128 && strspn(id, allowed) == length && !strchr("._-", id[0]))
        return 0;
    return heel_error_set_field(
        err, "sandbox_id",
        "must be 1 to 128 letters, digits, '.', '_' or '-', a letter or digit first");
}

static bool has_id(const struct linux_backend *backend, const char *id)
{
    const struct linux_sandbox *sandbox = backend->sandboxes;

    while (sandbox &&
           !(sandbox->preparation.spec.id && strcmp(sandbox->preparation.spec.id, id) == 0))
        sandbox = sandbox->next;
    return sandbox != NULL;
}

void linux_prepare(struct linux_backend *backend, const struct heel_sandbox_spec *spec,
                   const struct heel_identity *identity, struct heel_preparation *preparation)
{
    heel_preparation_init(preparation, spec);
    preparation->identity = *identity;
    preparation->bare = !backend->host.namespaces;
    if (identity->named) {
        preparation->spec.caller.uid = identity->uid;
        preparation->spec.caller.gid = identity->gid;
        preparation->spec.caller.group_count = 0;
    }
    preparation->state_dir = backend->state_dir;
    preparation->runtime_dir = backend->runtime_dir;
    preparation->own_files = backend->own_files;
    preparation->instance_path = backend->instance_path;
    preparation->facts = backend->facts;
    preparation->mounts = heel_host_mounts_hold(heel_mount_watch_latest(&backend->mounts));
}

static int begin(struct linux_sandbox *sandbox, const struct heel_sandbox_spec *spec,
                 struct heel_error **err)
{
    struct linux_backend *backend = backend_of(sandbox);
    struct heel_preparation *preparation = &sandbox->preparation;

    if (check_id(spec->id, err) || linux_check_host(backend, err))
        return -1;
    if (has_id(backend, spec->id))
        return heel_error_set(err, HEEL_ALREADY_EXISTS, "SANDBOX_EXISTS",
                              "there is a sandbox %s already", spec->id);
    if (heel_identity_take(&backend->identities, spec, &sandbox->identity, err))
        return -1;
    linux_prepare(backend, spec, &sandbox->identity, preparation);
    preparation->work_number = ++backend->work_dirs.last_number;
    if (!spec->working_dir && !spec->keep_working_dir)
        heel_work_dirs_take(&backend->work_dirs, sandbox->identity.uid, &preparation->work);
    if (open_control(sandbox, err))
        return -1;
    if (!launcher_needs_plan(sandbox))
        ask_launcher(sandbox, false);
    sandbox->working = true;
    uv_queue_work(backend->loop, &sandbox->work, prepare_in_pool, on_prepared);
    return 0;
}

/* A failed beginning is told from the loop, not from inside the call. */
static void on_begin_failed(uv_timer_t *timer)
{
    advance(heel_container_of(timer, struct linux_sandbox, watchdog));
}

void linux_sandbox_create(struct heel_backend *base, const struct heel_sandbox_spec *spec,
                          heel_on_created *on_created, heel_on_lost *on_lost, void *data)
{
    struct linux_backend *backend = heel_container_of(base, struct linux_backend, base);
    struct linux_sandbox *sandbox = heel_xcalloc(1, sizeof *sandbox);

    sandbox->base.backend = base;
    sandbox->serial = ++backend->last_serial;
    sandbox->init_end = sandbox->pidfd = sandbox->cgroup = -1;
    sandbox->vantage = (struct heel_vantage)HEEL_VANTAGE_NONE;
    sandbox->on_created = on_created;
    sandbox->on_lost = on_lost;
    sandbox->data = data;
    sandbox->next = backend->sandboxes;
    sandbox->previous = &backend->sandboxes;
    if (sandbox->next)
        sandbox->next->previous = &sandbox->next;
    backend->sandboxes = sandbox;
    uv_timer_init(backend->loop, &sandbox->watchdog);
    if (begin(sandbox, spec, &sandbox->error) == 0)
        return;
    sandbox->ending = true;
    uv_timer_start(&sandbox->watchdog, on_begin_failed, 0, 0);
}

void linux_sandbox_on_born(struct linux_sandbox *sandbox, int pidfd, bool wants_plan)
{
    struct heel_error *error = NULL;
    int result = uv_poll_init(backend_of(sandbox)->loop, &sandbox->death, pidfd);

    sandbox->asked = false;
    if (result) {
        /* Should not be; its control socket's end kills it. */
        close(pidfd);
        heel_error_set_errno(&error, -result, "cannot watch a sandbox");
        fail(sandbox, error);
        return;
    }
    sandbox->born = true;
    sandbox->plan_wanted = wants_plan;
    sandbox->pidfd = pidfd;
    uv_poll_start(&sandbox->death, UV_READABLE, on_death);
    if (sandbox->ending)
        linux_sandbox_kill(sandbox);
    advance(sandbox);
}

void linux_sandbox_on_not_born(struct linux_sandbox *sandbox, struct heel_error *error)
{
    sandbox->asked = false;
    fail(sandbox, error);
}

static void describe_enforcement(struct linux_sandbox *sandbox)
{
    struct heel_report_facts facts = linux_report_facts(backend_of(sandbox));

    facts.own_quotas = sandbox->has_own_quotas;
    facts.own_uid = sandbox->identity.from_range;
    facts.cgroup = sandbox->cgroup >= 0;
    facts.spec = &sandbox->preparation.spec;
    facts.mounts_unknown = !sandbox->preparation.mounts;
    facts.plan = sandbox->preparation.plan;
    facts.supervises_connects = sandbox->supervisor != NULL;
    facts.supervision_errno = sandbox->unsupervised;
    heel_report_make(&facts, &sandbox->report);
}

/* After each event that making or ending waits for. */
static void advance(struct linux_sandbox *sandbox)
{
    struct heel_error *error = NULL;

    if (sandbox->ending) {
        end(sandbox);
        return;
    }
    if (sandbox->created || !sandbox->born || !sandbox->ready)
        return;
    describe_enforcement(sandbox);
    if (heel_report_check(&sandbox->report, sandbox->preparation.spec.required, &error) < 0 ||
        send_group(sandbox, &error) < 0) {
        fail(sandbox, error);
        return;
    }
    start_meter(sandbox);
    sandbox->created = true;
    sandbox->on_created(&sandbox->base, NULL, sandbox->data);
}

const struct heel_sandbox_paths *linux_sandbox_paths(const struct heel_sandbox *sandbox)
{
    return &sandbox_of(sandbox)->preparation.paths;
}

const struct heel_enforcement *linux_sandbox_enforcement(const struct heel_sandbox *sandbox)
{
    return sandbox_of(sandbox)->report.rows;
}

static void on_refused(struct heel_denial *denial, pid_t host_pid, void *data)
{
    struct linux_sandbox *sandbox = data;

    denial->process = linux_process_of_pid(sandbox, host_pid);
    sandbox->on_denied(denial, sandbox->denied_data);
}

void linux_sandbox_watch_denials(struct heel_sandbox *base, heel_on_denied *on_denied, void *data)
{
    struct linux_sandbox *sandbox = sandbox_of(base);

    sandbox->on_denied = on_denied;
    sandbox->denied_data = data;
    if (sandbox->supervisor)
        linux_supervisor_watch(sandbox->supervisor, on_denied ? on_refused : NULL, sandbox);
}

/* ---- ending */

/* From it the launcher makes what the next ones in the same namespaces share. */
static void hand_plan_on(struct linux_sandbox *sandbox)
{
    const struct heel_buffer *plan = &sandbox->preparation.encoded;
    struct heel_message message = {.type = HEEL_LAUNCHER_PLAN,
                                   .id = sandbox->serial,
                                   .payload = plan->data,
                                   .length = plan->length};

    /* One that was made for other mounts of the host is none for those to come. */
    if (sandbox->plan_wanted && !sandbox->dead && !backend_of(sandbox)->launcher_gone &&
        sandbox->preparation.mounts == heel_mount_watch_latest(&backend_of(sandbox)->mounts))
        heel_channel_send(&backend_of(sandbox)->launcher, &message);
}

void linux_sandbox_destroy(struct heel_sandbox *base, heel_on_deleted *on_deleted, void *data)
{
    struct linux_sandbox *sandbox = sandbox_of(base);

    sandbox->on_deleted = on_deleted;
    sandbox->deleted_data = data;
    sandbox->ending = true;
    hand_plan_on(sandbox);
    linux_sandbox_kill(sandbox);
    /* Already dead: from the loop, not from inside this call. */
    if (sandbox->dead)
        uv_timer_start(&sandbox->watchdog, on_begin_failed, 0, 0);
}

static void remove_in_pool(struct heel_lane_work *work)
{
    struct linux_sandbox *sandbox = heel_container_of(work, struct linux_sandbox, removal);
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
    /* What is to be kept is what a sandbox did, not that it failed to be made. */
    else if (preparation->kept)
        rmdir(preparation->kept);
}

/* One that was not removed was not touched, unless something in it could not be removed. */
static void reuse_work_dir(struct linux_backend *backend, struct heel_preparation *preparation)
{
    if (preparation->work.path && !preparation->error)
        heel_work_dirs_give(&backend->work_dirs, &preparation->work);
}

static void on_removed(struct heel_lane_work *work)
{
    struct linux_sandbox *sandbox = heel_container_of(work, struct linux_sandbox, removal);

    sandbox->working = false;
    sandbox->removed = true;
    reuse_work_dir(backend_of(sandbox), &sandbox->preparation);
    if (!sandbox->error)
        sandbox->error = heel_steal(sandbox->preparation.error);
    end(sandbox);
}

static void queue_removal(struct linux_sandbox *sandbox)
{
    struct linux_backend *backend = backend_of(sandbox);

    sandbox->working = true;
    sandbox->preparation.reuse_work = !heel_work_dirs_full(&backend->work_dirs);
    heel_lane_queue(&backend->removals, &sandbox->removal, remove_in_pool, on_removed);
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
    struct linux_backend *backend = backend_of(sandbox);

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

/* One step after the other: nothing is pending, nobody is alive, nothing is stored, no handle is
 * open. Called again after each. */
static void end(struct linux_sandbox *sandbox)
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
