/* The backend object, and what heeld and its launcher say to each other. */
#include "backends/linux/linux.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/linux/identity/uid_locks.h"
#include "backends/linux/identity/uid_range.h"
#include "backends/linux/kernel/without.h"
#include "backends/linux/launcher/launcher.h"

#define HELLO_MS 10000
#define REMOVALS_WIDTH 2 /* threads of the pool */
#define EXPLANATIONS_WIDTH 1
#define PREPARATIONS_WIDTH 4 /* of one caller's sandboxes */

int heel_launcher_start(const struct heel_backend_options *options, struct heel_launcher *launcher,
                        struct heel_error **err)
{
    int ends[2];
    pid_t pid;

    if (geteuid() == 0 && heel_uid_range_check(options->uid_first, options->uid_count, "/etc", err))
        return -1;
    if (heel_without_set(options->without, err) < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return heel_error_set_errno(err, errno, "cannot make a socket for the launcher");
    pid = fork();
    if (pid < 0) {
        int why = errno;

        close(ends[0]);
        close(ends[1]);
        return heel_error_set_errno(err, why, "cannot start the launcher");
    }
    if (pid == 0)
        heel_launcher_run(ends[1], options);
    close(ends[1]);
    *launcher = (struct heel_launcher){ends[0], pid};
    return 0;
}

/* ---- what the launcher says ---- */

static void on_created(struct linux_backend *backend, struct heel_message *message)
{
    struct linux_sandbox *sandbox = linux_sandbox_find(backend, message->id);
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    int pidfd = heel_message_take_fd(message, 0);
    struct heel_error *error = NULL;

    if (!sandbox || !sandbox->asked) {
        if (pidfd >= 0)
            close(pidfd);
        return;
    }
    if (pidfd >= 0) {
        sandbox->cgroup = heel_message_take_fd(message, 1);
        linux_sandbox_on_born(sandbox, pidfd, heel_get_u32(&reader) == 1);
        return;
    }
    heel_error_set_errno(&error, EMFILE, "cannot hold another sandbox");
    linux_sandbox_on_not_born(sandbox, error);
}

static void on_not_created(struct linux_backend *backend, struct heel_message *message)
{
    struct linux_sandbox *sandbox = linux_sandbox_find(backend, message->id);
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    struct heel_error *error = NULL;

    if (!sandbox || !sandbox->asked)
        return;
    heel_get_error(&reader, &error);
    linux_sandbox_on_not_born(sandbox, error);
}

static const struct {
    uint32_t type;
    void (*handle)(struct linux_backend *backend, struct heel_message *message);
} answers[] = {
    {HEEL_LAUNCHER_CREATED, on_created},
    {HEEL_LAUNCHER_NOT_CREATED, on_not_created},
};

static void on_launcher_message(struct heel_channel *channel, struct heel_message *message)
{
    struct linux_backend *backend = heel_container_of(channel, struct linux_backend, launcher);

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(answers); i++)
        if (answers[i].type == message->type)
            answers[i].handle(backend, message);
}

/* Every init dies with the launcher, which its pidfd tells. Left are the sandboxes that the
 * launcher was asked for and did not answer: their init, if there is one, ends when its control
 * socket is closed. */
static void on_launcher_end(struct heel_channel *channel)
{
    struct linux_backend *backend = heel_container_of(channel, struct linux_backend, launcher);

    backend->launcher_gone = true;
    for (struct linux_sandbox *sandbox = backend->sandboxes, *next; sandbox; sandbox = next) {
        struct heel_error *error = NULL;

        next = sandbox->next;
        if (!sandbox->asked)
            continue;
        heel_error_set(&error, HEEL_INTERNAL, "INTERNAL",
                       "the launcher of sandboxes has died; heeld must be started again");
        linux_sandbox_on_not_born(sandbox, error);
    }
}

/* ---- opening ---- */

static int check_hello(const struct heel_message *message, struct heel_error **err)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);

    if (message->type == HEEL_LAUNCHER_HELLO && message->fd_count == 1)
        return 0;
    if (message->type == HEEL_LAUNCHER_FAILED)
        return heel_get_error(&reader, err);
    return heel_error_set(err, HEEL_INTERNAL, NULL,
                          "the launcher began with something else than a greeting");
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

struct heel_report_facts linux_report_facts(const struct linux_backend *backend)
{
    return (struct heel_report_facts){
        .supported = backend->host.supported,
        .landlock_abi = backend->host.landlock_abi,
        .namespaces = backend->host.namespaces,
        .own_quotas =
            backend->host.namespaces && heel_host_passed(&backend->host, HEEL_HOST_QUOTAS),
        .own_uid = backend->identities.own,
        .supervises_connects = heel_host_passed(&backend->host, HEEL_HOST_SUPERVISION),
    };
}

static void describe_host(struct linux_backend *backend)
{
    struct heel_report_facts facts = linux_report_facts(backend);

    facts.spec = &(const struct heel_sandbox_spec){0};
    facts.mounts_unknown = !backend->mounts.latest;
    heel_report_make(&facts, &backend->host_report);
    backend->host.protections = backend->host_report.rows;
}

static int take_hello(struct linux_backend *backend, struct heel_message *message,
                      struct heel_error **err)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    const char *path = heel_get_string(&reader);
    size_t length;
    const void *info = heel_get_bytes(&reader, &length);

    if (!path || !heel_reader_done(&reader))
        return heel_error_set(err, HEEL_INTERNAL, NULL, "the launcher's greeting was garbled");
    if (heel_host_info_decode(info, length, &backend->host, err))
        return -1;
    describe_host(backend);
    backend->instance_path = heel_xstrdup(path);
    backend->instance_fd = heel_message_take_fd(message, 0);
    return 0;
}

static int receive_hello(struct linux_backend *backend, int socket, struct heel_error **err)
{
    heel_automessage struct heel_message message = {0};
    struct pollfd event = {socket, POLLIN, 0};
    int ready, got;

    do
        ready = poll(&event, 1, HELLO_MS);
    while (ready < 0 && errno == EINTR);
    if (ready != 1)
        return heel_error_set(err, HEEL_DEADLINE_EXCEEDED, NULL,
                              "the launcher did not get ready within %d s", HELLO_MS / 1000);
    got = heel_message_receive(socket, &message);
    if (got != 1)
        return heel_error_set(err, HEEL_INTERNAL, "INTERNAL",
                              "the launcher ended before it was ready");
    if (check_hello(&message, err))
        return -1;
    return take_hello(backend, &message, err);
}

static const struct heel_host_info *host(struct heel_backend *base)
{
    return &heel_container_of(base, struct linux_backend, base)->host;
}

static void backend_free(struct linux_backend *backend)
{
    if (backend->instance_fd >= 0)
        close(backend->instance_fd);
    if (backend->launcher_pidfd >= 0)
        close(backend->launcher_pidfd);
    heel_host_info_clear(&backend->host);
    heel_report_clear(&backend->host_report);
    heel_facts_watch_close(&backend->facts);
    heel_mount_watch_close(&backend->mounts);
    heel_identities_free(&backend->identities);
    heel_work_dirs_forget(&backend->work_dirs);
    heel_lanes_clear(&backend->preparations);
    for (size_t i = 0; i < backend->own_file_count; i++)
        free(backend->own_files[i]);
    free(backend->own_files);
    free(backend->state_dir);
    free(backend->runtime_dir);
    free(backend->instance_path);
    free(backend);
}

/* ---- closing ---- */

void linux_end_if_over(struct linux_backend *backend)
{
    void (*on_closed)(void *data) = backend->on_closed;
    void *data = backend->closed_data;

    if (!backend->ending || backend->closing > 0 || backend->explaining > 0)
        return;
    waitpid(backend->launcher_pid, NULL, WNOHANG);
    backend_free(backend);
    if (on_closed)
        on_closed(data);
}

static void on_part_closed(void *data)
{
    struct linux_backend *backend = data;

    backend->closing--;
    linux_end_if_over(backend);
}

static void on_handle_closed(uv_handle_t *handle)
{
    on_part_closed(handle->data);
}

static void on_launcher_dead(uv_poll_t *poll, int status, int events)
{
    struct linux_backend *backend = heel_container_of(poll, struct linux_backend, launcher_death);

    (void)status;
    (void)events;
    uv_poll_stop(poll);
    uv_close((uv_handle_t *)&backend->launcher_death, on_handle_closed);
}

/* Hidden from every sandbox: whoever can connect to heeld's socket can do all that heeld's user
 * can. */
static void add_own_file(struct linux_backend *backend, const char *path)
{
    char *canonical = realpath(path, NULL);

    if (!canonical)
        return;
    backend->own_files =
        heel_xrealloc(backend->own_files, backend->own_file_count + 2, sizeof *backend->own_files);
    backend->own_files[backend->own_file_count++] = canonical;
    backend->own_files[backend->own_file_count] = NULL;
}

void heel_backend_unlink_at_death(struct heel_backend *base, const char *path)
{
    struct linux_backend *backend = heel_container_of(base, struct linux_backend, base);
    heel_autobuffer struct heel_buffer payload = {0};
    struct heel_message message = {.type = HEEL_LAUNCHER_UNLINK};

    add_own_file(backend, path);
    heel_put_string(&payload, path);
    message.payload = payload.data;
    message.length = payload.length;
    heel_channel_send(&backend->launcher, &message);
}

/* The launcher sees the end of its socket, removes the instance's folder and exits; that is waited
 * for. */
static void close_backend(struct heel_backend *base, void (*on_closed)(void *data), void *data)
{
    struct linux_backend *backend = heel_container_of(base, struct linux_backend, base);

    heel_channel_send(&backend->launcher, &(struct heel_message){.type = HEEL_LAUNCHER_CLOSE});
    backend->on_closed = on_closed;
    backend->closed_data = data;
    backend->ending = true;
    backend->closing = 3;
    if (backend->audit) {
        backend->closing++;
        linux_audit_close(heel_steal(backend->audit), on_part_closed, backend);
    }
    backend->meter_clock.timer.data = backend;
    heel_meter_clock_close(&backend->meter_clock, on_handle_closed);
    backend->launcher.poll.data = backend;
    backend->launcher_death.data = backend;
    heel_channel_close(&backend->launcher, on_handle_closed);
    uv_poll_start(&backend->launcher_death, UV_READABLE, on_launcher_dead);
}

static const struct heel_backend_ops linux_ops = {
    .host = host,
    .explain = linux_explain,
    .create = linux_sandbox_create,
    .destroy = linux_sandbox_destroy,
    .paths = linux_sandbox_paths,
    .enforcement = linux_sandbox_enforcement,
    .watch_denials = linux_sandbox_watch_denials,
    .start = linux_process_start,
    .signal = linux_process_signal,
    .kill_tree = linux_process_kill_tree,
    .pause = linux_sandbox_pause,
    .close = close_backend,
};

static int watch_launcher(struct linux_backend *backend, struct heel_launcher *launcher,
                          struct heel_error **err)
{
    int result;

    backend->launcher_pidfd = (int)syscall(SYS_pidfd_open, launcher->pid, 0);
    if (backend->launcher_pidfd < 0)
        return heel_error_set_errno(err, errno, "cannot watch the launcher");
    result = uv_poll_init(backend->loop, &backend->launcher_death, backend->launcher_pidfd);
    if (result)
        return heel_error_set_errno(err, -result, "cannot watch the launcher");
    return heel_channel_open(&backend->launcher, backend->loop, heel_steal_fd(&launcher->socket),
                             on_launcher_message, on_launcher_end, err);
}

struct heel_backend *heel_backend_open(uv_loop_t *loop, const struct heel_backend_options *options,
                                       struct heel_launcher *launcher, struct heel_error **err)
{
    struct linux_backend *backend = heel_xcalloc(1, sizeof *backend);

    backend->base.ops = &linux_ops;
    backend->loop = loop;
    backend->state_dir = heel_xstrdup(options->state_dir);
    backend->runtime_dir = heel_xstrdup(options->runtime_dir);
    backend->instance_fd = backend->launcher_pidfd = backend->mounts.fd = -1;
    backend->facts.inotify = -1;
    backend->identities = (struct heel_identities){
        .own = heel_identities_usable(options->uid_first, options->uid_count),
        .alone = heel_identities_alone(),
        .locks = -1,
        .first = options->uid_first,
        .count = options->uid_count};
    if (backend->identities.own && options->runtime_dir)
        backend->identities.locks = heel_uid_locks_open(options->runtime_dir);
    heel_lanes_init(&backend->preparations, loop, PREPARATIONS_WIDTH);
    heel_lane_init(&backend->removals, loop, REMOVALS_WIDTH);
    heel_lane_init(&backend->explanations, loop, EXPLANATIONS_WIDTH);
    backend->launcher_pid = launcher->pid;
    heel_mount_watch_open(&backend->mounts);
    if (receive_hello(backend, launcher->socket, err) || watch_launcher(backend, launcher, err)) {
        backend_free(backend);
        return NULL;
    }
    heel_meter_clock_init(&backend->meter_clock, loop);
    if (heel_host_passed(&backend->host, HEEL_HOST_AUDIT))
        backend->audit = linux_audit_open(backend);
    if (options->config_dir)
        add_own_file(backend, options->config_dir);
    heel_facts_watch_open(&backend->facts);
    return &backend->base;
}
