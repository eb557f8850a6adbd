/* How a sandbox is made: the launcher bears its init while a thread of the pool prepares its folder
 * and its plan. */
#include "backends/linux/linux_sandbox.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The level of a spec whose mounts are those of every sandbox of that level and uid (the working
 * directory aside), so that it can be born from a template; -1 for any other. Every field of a spec
 * that changes the plan must be looked at here. */
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
        .next_uid = heel_identity_next(&linux_backend_of(sandbox)->identities),
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
    heel_channel_send(&linux_backend_of(sandbox)->launcher, &message);
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

    return linux_backend_of(sandbox)->host.namespaces &&
           (sandbox->identity.uid != geteuid() || sandbox->identity.named) &&
           (spec->working_dir || spec->path_count > 0 || spec->switch_count > 0);
}

static void prepare_in_pool(struct heel_lane_work *work)
{
    heel_preparation_run(&heel_container_of(work, struct linux_sandbox, work)->preparation);
}

static void on_prepared(struct heel_lane_work *work)
{
    struct linux_sandbox *sandbox = heel_container_of(work, struct linux_sandbox, work);

    sandbox->working = false;
    if (sandbox->preparation.error) {
        linux_sandbox_fail(sandbox, heel_steal(sandbox->preparation.error));
        return;
    }
    if (sandbox->ending || linux_backend_of(sandbox)->launcher_gone) {
        linux_sandbox_fail(sandbox, NULL);
        return;
    }
    if (launcher_needs_plan(sandbox))
        ask_launcher(sandbox, true);
    send_plan(sandbox);
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

/* What the launcher has made ahead for others is none for what will be: it hears of that before it
 * is asked for the next sandbox. */
static struct heel_host_facts *latest_facts(struct linux_backend *backend)
{
    const struct heel_host_facts *before = backend->facts.latest;
    struct heel_host_facts *facts = heel_facts_watch_latest(&backend->facts);

    if (facts != before)
        heel_channel_send(&backend->launcher, &(struct heel_message){.type = HEEL_LAUNCHER_FORGET});
    return facts;
}

void linux_prepare(struct linux_backend *backend, const struct heel_sandbox_spec *spec,
                   const struct heel_identity *identity, struct heel_preparation *preparation)
{
    heel_preparation_init(preparation, spec);
    preparation->identity = *identity;
    preparation->bare = !backend->host.namespaces;
    preparation->audited = backend->audit != NULL;
    if (identity->named) {
        preparation->spec.caller.uid = identity->uid;
        preparation->spec.caller.gid = identity->gid;
        preparation->spec.caller.group_count = 0;
    }
    preparation->state_dir = backend->state_dir;
    preparation->runtime_dir = backend->runtime_dir;
    preparation->own_files = backend->own_files;
    preparation->instance_path = backend->instance_path;
    preparation->facts = heel_host_facts_hold(latest_facts(backend));
    preparation->mounts = heel_host_mounts_hold(heel_mount_watch_latest(&backend->mounts));
}

static int begin(struct linux_sandbox *sandbox, const struct heel_sandbox_spec *spec,
                 struct heel_error **err)
{
    struct linux_backend *backend = linux_backend_of(sandbox);
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
    if (linux_sandbox_open_control(sandbox, err))
        return -1;
    if (!launcher_needs_plan(sandbox))
        ask_launcher(sandbox, false);
    sandbox->working = true;
    heel_lane_queue(heel_lanes_of(&backend->preparations, spec->caller.uid), &sandbox->work,
                    prepare_in_pool, on_prepared);
    return 0;
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
    linux_sandbox_advance_later(sandbox);
}
