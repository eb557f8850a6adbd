/* One sandbox from heeld's side: what it is, and when it is made. How it comes to be stands in
 * linux_sandbox_make.c, how it ends in linux_sandbox_end.c, and what heeld and its init have to say
 * to each other in linux_sandbox_init.c. */
#include "backends/linux/linux_sandbox.h"

#include <errno.h>

#include "backends/linux/limits/cgroup.h"

struct linux_sandbox *linux_sandbox_find(struct linux_backend *backend, uint32_t serial)
{
    struct linux_sandbox *sandbox = backend->sandboxes;

    while (sandbox && sandbox->serial != serial)
        sandbox = sandbox->next;
    return sandbox;
}

void linux_sandbox_fail(struct linux_sandbox *sandbox, struct heel_error *error)
{
    if (sandbox->error || sandbox->created)
        heel_error_free(error);
    else
        sandbox->error = error;
    if (!sandbox->created)
        sandbox->ending = true;
    linux_sandbox_kill(sandbox);
    linux_sandbox_advance(sandbox);
}

static void on_limit(struct heel_meter *meter, enum heel_limit limit)
{
    linux_process_kill_all(heel_container_of(meter, struct linux_sandbox, meter), limit);
}

static void on_meter_closed(struct heel_meter *meter)
{
    struct linux_sandbox *sandbox = heel_container_of(meter, struct linux_sandbox, meter);

    sandbox->metering = false;
    linux_sandbox_advance(sandbox);
}

static unsigned count_helpers(const struct heel_meter *meter)
{
    const struct linux_sandbox *sandbox = heel_container_of(meter, struct linux_sandbox, meter);

    return sandbox->supervisor ? linux_supervisor_hands(sandbox->supervisor) : 0;
}

/* Sends init the descriptor by which commands join the cgroup. Without it they would run outside of
 * its limits, so a failure fails the sandbox. */
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

/* Needs both the vantage from init and the cgroup from the launcher; whichever comes last calls
 * this. */
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
    heel_meter_open(&sandbox->meter, &linux_backend_of(sandbox)->meter_clock,
                    &preparation->spec.limits, &view, &events);
    sandbox->vantage = (struct heel_vantage)HEEL_VANTAGE_NONE;
}

static void describe_enforcement(struct linux_sandbox *sandbox)
{
    struct heel_report_facts facts = linux_report_facts(linux_backend_of(sandbox));

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

void linux_sandbox_advance(struct linux_sandbox *sandbox)
{
    struct heel_error *error = NULL;

    if (sandbox->ending) {
        linux_sandbox_end(sandbox);
        return;
    }
    if (sandbox->created || !sandbox->born || !sandbox->ready)
        return;
    describe_enforcement(sandbox);
    if (heel_report_check(&sandbox->report, sandbox->preparation.spec.required, &error) < 0 ||
        send_group(sandbox, &error) < 0) {
        linux_sandbox_fail(sandbox, error);
        return;
    }
    start_meter(sandbox);
    if (linux_backend_of(sandbox)->audit)
        linux_audit_expect(sandbox);
    sandbox->created = true;
    sandbox->on_created(&sandbox->base, NULL, sandbox->data);
}

static void on_later(uv_timer_t *timer)
{
    linux_sandbox_advance(heel_container_of(timer, struct linux_sandbox, watchdog));
}

void linux_sandbox_advance_later(struct linux_sandbox *sandbox)
{
    uv_timer_start(&sandbox->watchdog, on_later, 0, 0);
}

const struct heel_sandbox_paths *linux_sandbox_paths(const struct heel_sandbox *sandbox)
{
    return &linux_sandbox_of(sandbox)->preparation.paths;
}

const struct heel_enforcement *linux_sandbox_enforcement(const struct heel_sandbox *sandbox)
{
    return linux_sandbox_of(sandbox)->report.rows;
}

static void on_refused(struct heel_denial *denial, pid_t host_pid, void *data)
{
    struct linux_sandbox *sandbox = data;

    denial->process = linux_process_of_pid(sandbox, host_pid);
    sandbox->on_denied(denial, sandbox->denied_data);
}

void linux_sandbox_watch_denials(struct heel_sandbox *base, heel_on_denied *on_denied, void *data)
{
    struct linux_sandbox *sandbox = linux_sandbox_of(base);

    sandbox->on_denied = on_denied;
    sandbox->denied_data = data;
    heel_denial_rate_start(&sandbox->denials, uv_now(linux_backend_of(sandbox)->loop));
    if (sandbox->supervisor)
        linux_supervisor_watch(sandbox->supervisor, &sandbox->denials,
                               on_denied ? on_refused : NULL, sandbox);
}
