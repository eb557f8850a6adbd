/* heeld: the server. One thread runs the loop that owns every sandbox and command; gRPC's own
 * threads and libuv's pool only hand it finished operations. It never makes a call that a sandbox
 * could block. What touches the kernel's sandboxing happens in the launcher, which is forked before
 * anything else, while there is one thread and no gRPC. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

#include "base/descriptors_left.h"
#include "base/runtime_dir.h"
#include "base/standard_descriptors.h"
#include "base/text.h"
#include "server/core.h"
#include "server/listener.h"
#include "server/log.h"
#include "server/options.h"
#include "server/ready.h"

/* Work whose duration sandboxes control takes six threads at most (looks, walks, removals,
 * explanations), and one caller's preparations four: two are always left. */
#define POOL_THREADS "12"

/* Enough for the commands and sandboxes that are taken on by default, each with some descriptors.
 */
#define OPEN_FILES 262144

struct heeld {
    struct options options;
    char *state_dir;   /* owned */
    char *runtime_dir; /* owned */
    char *config_dir;  /* owned */
    uv_loop_t loop;
    uv_signal_t terminate;
    uv_signal_t interrupt;
    uv_poll_t connection;     /* with --connection-fd: tells when the other end is gone */
    int connection_watch;     /* a duplicate of that descriptor, or -1 */
    struct server_core *core; /* NULL when it is closed */
    struct listener *listeners[OPTIONS_MAX_LISTEN];
    size_t listener_count;
};

static void close_listeners(struct heeld *heeld)
{
    while (heeld->listener_count > 0)
        listener_close(heeld->listeners[--heeld->listener_count]);
}

/* Those that watch signals stay: with the last of them goes the handler, and a signal that came
 * once more would turn an orderly end into a death by it. */
static void close_all_else(uv_handle_t *handle, void *data)
{
    (void)data;
    if (!uv_is_closing(handle) && uv_handle_get_type(handle) != UV_SIGNAL)
        uv_close(handle, NULL);
}

static void on_server_closed(struct server_core *core)
{
    struct heeld *heeld = core->data;

    heeld->core = NULL;
    close_listeners(heeld);
    if (heeld->connection_watch >= 0)
        uv_close((uv_handle_t *)&heeld->connection, NULL);
}

/* No new connections from now on; a second signal cuts the grace period short. */
static void shut_down(struct heeld *heeld)
{
    ready_announce_stopping();
    close_listeners(heeld);
    server_shut_down(heeld->core, on_server_closed);
}

static void on_signal(uv_signal_t *handle, int signal_number)
{
    struct heeld *heeld = handle->data;

    log_event(LOG_LEVEL_INFO, "signal", LOG_INT("number", signal_number));
    if (heeld->core)
        shut_down(heeld);
}

static void on_connection_lost(uv_poll_t *poll, int status, int events)
{
    struct heeld *heeld = poll->data;

    (void)status;
    (void)events;
    uv_poll_stop(poll);
    shut_down(heeld); /* nobody is left to wait for */
    shut_down(heeld);
}

static int open_listeners(struct heeld *heeld, struct heel_error **err)
{
    heel_autofree char *default_path = heel_format("%s/heeld.sock", heeld->runtime_dir);
    size_t count = heeld->options.listen_count;

    if (count == 0 && heel_runtime_dir_make(heeld->runtime_dir, err) < 0)
        return -1;
    for (size_t i = 0; i < (count ? count : 1); i++) {
        struct listener *listener =
            listener_open(count ? heeld->options.listen[i] : default_path, err);

        if (!listener)
            return -1;
        heeld->listeners[heeld->listener_count++] = listener;
    }
    return 0;
}

static void start_listeners(struct heeld *heeld)
{
    for (size_t i = 0; i < heeld->listener_count; i++) {
        heel_autofree char *lock = heel_format("%s.lock", heeld->listeners[i]->path);

        heel_backend_unlink_at_death(heeld->core->backend, heeld->listeners[i]->path);
        heel_backend_unlink_at_death(heeld->core->backend, lock);
        listener_start(heeld->listeners[i], heeld->core);
    }
}

/* gRPC owns the connection's descriptor and doesn't tell when the other end goes: a duplicate is
 * watched for that. */
static int serve_connection(struct heeld *heeld, struct heel_error **err)
{
    heeld->connection_watch = fcntl(heeld->options.connection_fd, F_DUPFD_CLOEXEC, 3);
    if (heeld->connection_watch < 0 ||
        fcntl(heeld->options.connection_fd, F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(heeld->options.connection_fd, F_SETFL, O_NONBLOCK) < 0)
        return heel_error_set_errno(err, errno, "--connection-fd %d", heeld->options.connection_fd);
    if (uv_poll_init(&heeld->loop, &heeld->connection, heeld->connection_watch) != 0)
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL, "--connection-fd %d is no socket",
                              heeld->options.connection_fd);
    heeld->connection.data = heeld;
    uv_poll_start(&heeld->connection, UV_DISCONNECT, on_connection_lost);
    callers_add_connection(heeld->core, heeld->options.connection_fd);
    return 0;
}

static int start_serving(struct heeld *heeld, struct heel_error **err)
{
    if (heeld->options.connection_fd >= 0)
        return serve_connection(heeld, err);
    start_listeners(heeld);
    return 0;
}

/* The loop doesn't run for its sake. */
static void watch_signal(struct heeld *heeld, uv_signal_t *watcher, int signal_number)
{
    uv_signal_init(&heeld->loop, watcher);
    watcher->data = heeld;
    uv_signal_start(watcher, on_signal, signal_number);
    uv_unref((uv_handle_t *)watcher);
}

static void watch_signals(struct heeld *heeld)
{
    signal(SIGPIPE, SIG_IGN);
    watch_signal(heeld, &heeld->terminate, SIGTERM);
    watch_signal(heeld, &heeld->interrupt, SIGINT);
}

/* What is found wrong before there is a launcher is said before anything is started. */
static int prepare(struct heeld *heeld, struct heel_launcher *launcher, struct heel_error **err)
{
    struct heel_backend_options *backend = &heeld->options.server.backend;

    heeld->runtime_dir = heel_runtime_dir();
    heeld->config_dir = heel_config_dir();
    heeld->state_dir = heel_state_dir();
    backend->runtime_dir = heeld->runtime_dir;
    backend->config_dir = heeld->config_dir;
    if (!backend->state_dir)
        backend->state_dir = heeld->state_dir;
    if (heeld->options.connection_fd < 0 && open_listeners(heeld, err) < 0)
        return -1;
    return heel_launcher_start(backend, launcher, err);
}

/* How many descriptors may be on their way through sockets depends on it, and a sandbox can send a
 * quarter of what may be had. */
static void raise_open_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* The kernel's bound for any process (fs.nr_open). */
static rlim_t most_open_files(void)
{
    FILE *file = fopen("/proc/sys/fs/nr_open", "re");
    unsigned long long number = 0;

    if (file && fscanf(file, "%llu", &number) != 1)
        number = 0;
    if (file)
        fclose(file);
    return (rlim_t)number;
}

/* As root, beyond what heeld was given. Only after the launcher was forked, for sandboxes get a
 * share of the launcher's limit, and that should depend on whoever started heeld. */
static void raise_own_open_files(void)
{
    rlim_t most = most_open_files(), wanted = most < OPEN_FILES ? most : OPEN_FILES;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_max >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max = wanted;
    setrlimit(RLIMIT_NOFILE, &limit); /* or what there is must do */
}

static int run(struct heeld *heeld, struct heel_error **err)
{
    struct heel_launcher launcher;

    raise_open_files();
    if (heel_need_descriptors(SERVER_DESCRIPTORS, err) < 0 || prepare(heeld, &launcher, err) < 0)
        return -1;
    raise_own_open_files();
    setenv("UV_THREADPOOL_SIZE", POOL_THREADS, 0);
    grpcc_init();
    uv_loop_init(&heeld->loop);
    watch_signals(heeld);
    heeld->core = server_open(&heeld->loop, &heeld->options.server, &launcher, err);
    if (!heeld->core)
        return -1;
    heeld->core->data = heeld;
    heeld->core->on_closed = on_server_closed; /* of an idle exit */
    if (start_serving(heeld, err) < 0)
        return -1;
    ready_announce(heeld->options.ready_fd);
    uv_run(&heeld->loop, UV_RUN_DEFAULT);
    uv_walk(&heeld->loop, close_all_else, NULL);
    uv_run(&heeld->loop, UV_RUN_DEFAULT);
    grpcc_shutdown();
    return 0;
}

static void heeld_clear(struct heeld *heeld)
{
    if (heeld->connection_watch >= 0)
        close(heeld->connection_watch);
    free(heeld->state_dir);
    free(heeld->runtime_dir);
    free(heeld->config_dir);
}

__attribute__((constructor(101))) static void fill_standard_descriptors(void)
{
    if (heel_fill_standard_descriptors() < 0)
        _exit(1);
}

int main(int argc, char **argv)
{
    heel_autoerror struct heel_error *error = NULL;
    /* Static, so that its loop, which stays open for the signals, counts as no leak at the end. */
    static struct heeld heeld = {.connection_watch = -1};

    if (options_parse(argc, argv, &heeld.options, &error) < 0) {
        fprintf(stderr, "heeld: %s\n", error->message);
        return 2;
    }
    if (heeld.options.help || heeld.options.version) {
        if (heeld.options.help)
            options_print_help();
        else
            puts("heeld " HEEL_VERSION);
        return 0;
    }
    log_set_level(heeld.options.log_level);
    if (run(&heeld, &error) < 0) {
        log_failure(LOG_LEVEL_ERROR, "heeld can't start", "heeld", error);
        close_listeners(&heeld);
        heeld_clear(&heeld);
        return 1;
    }
    log_event(LOG_LEVEL_INFO, "stopped", LOG_INT("pid", getpid()));
    heeld_clear(&heeld);
    return 0;
}
