#include "server/embedded.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "base/descriptors_left.h"
#include "base/runtime_dir.h"
#include "base/text.h"
#include "server/core.h"
#include "server/log.h"

#define LEAVE_MS 1000 /* how long a launcher is waited for; a slower one ends by itself */

struct heel_embedded {
    struct server_options options;
    char *state_dir;   /* owned */
    char *runtime_dir; /* owned */
    char *config_dir;  /* owned */
    struct heel_launcher launcher;
    pthread_t thread;
    bool has_thread;
    int server_end; /* of the connection; the server's once it runs */
    uv_loop_t loop; /* the thread's, except for `stop` */
    uv_async_t stop;
    struct server_core *core;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t known;
    bool started;             /* the server runs, or `error` says why it doesn't */
    struct heel_error *error; /* owned */
};

struct heel_embedded *heel_embedded_prepare(bool brief, enum heel_namespaces namespaces,
                                            struct heel_error **err)
{
    struct heel_embedded *embedded = heel_xcalloc(1, sizeof *embedded);

    embedded->options = server_default_options();
    embedded->options.backend.brief = brief;
    embedded->options.backend.namespaces = namespaces;
    embedded->options.grace_ms = 1; /* whoever stops it waits for no command any more */
    embedded->state_dir = heel_state_dir();
    embedded->runtime_dir = heel_runtime_dir();
    embedded->config_dir = heel_config_dir();
    embedded->options.backend.state_dir = embedded->state_dir;
    embedded->options.backend.runtime_dir = embedded->runtime_dir;
    embedded->options.backend.config_dir = embedded->config_dir;
    embedded->server_end = -1;
    pthread_mutex_init(&embedded->lock, NULL);
    pthread_cond_init(&embedded->known, NULL);
    if (heel_need_descriptors(SERVER_DESCRIPTORS, err) < 0 ||
        heel_launcher_start(&embedded->options.backend, &embedded->launcher, err) < 0) {
        heel_embedded_stop(embedded);
        return NULL;
    }
    return embedded;
}

static void close_any(uv_handle_t *handle, void *data)
{
    (void)data;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void on_closed(struct server_core *core)
{
    struct heel_embedded *embedded = core->data;

    uv_close((uv_handle_t *)&embedded->stop, NULL);
}

static void on_stop(uv_async_t *stop)
{
    struct heel_embedded *embedded = stop->data;

    server_shut_down(embedded->core, on_closed);
}

/* The server's thread, until heel_embedded_stop(). */
static void *serve(void *data)
{
    struct heel_embedded *embedded = data;
    struct heel_error *error = NULL;

    setenv("UV_THREADPOOL_SIZE", "1", 0); /* one caller, who waits */
    grpcc_init();
    embedded->core = server_open(&embedded->loop, &embedded->options, &embedded->launcher, &error);
    if (embedded->core) {
        embedded->core->data = embedded;
        callers_add_connection(embedded->core, heel_steal_fd(&embedded->server_end));
    } else {
        close(heel_steal_fd(&embedded->server_end));
    }
    pthread_mutex_lock(&embedded->lock);
    embedded->error = error;
    embedded->started = true;
    pthread_cond_broadcast(&embedded->known);
    pthread_mutex_unlock(&embedded->lock);
    if (embedded->core)
        uv_run(&embedded->loop, UV_RUN_DEFAULT);
    uv_walk(&embedded->loop, close_any, NULL);
    uv_run(&embedded->loop, UV_RUN_DEFAULT);
    uv_loop_close(&embedded->loop);
    grpcc_shutdown();
    return NULL;
}

/* The program's signals are for its own threads. */
static int start_thread(struct heel_embedded *embedded)
{
    sigset_t all, before;
    int result;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&embedded->thread, NULL, serve, embedded);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    embedded->has_thread = result == 0;
    return result;
}

int heel_embedded_connect(struct heel_embedded *embedded, struct heel_error **err)
{
    int ends[2], result;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return heel_error_set_errno(err, errno, "socketpair");
    log_set_level(LOG_LEVEL_OFF); /* stderr is the caller's */
    embedded->server_end = ends[1];
    uv_loop_init(&embedded->loop);
    uv_async_init(&embedded->loop, &embedded->stop, on_stop);
    embedded->stop.data = embedded;
    result = start_thread(embedded);
    if (result != 0) {
        close(ends[0]);
        return heel_error_set_errno(err, result, "cannot start the server's thread");
    }
    return ends[0];
}

static void wait_until_known(struct heel_embedded *embedded)
{
    pthread_mutex_lock(&embedded->lock);
    while (embedded->has_thread && !embedded->started)
        pthread_cond_wait(&embedded->known, &embedded->lock);
    pthread_mutex_unlock(&embedded->lock);
}

const struct heel_host_info *heel_embedded_host(struct heel_embedded *embedded)
{
    wait_until_known(embedded);
    return embedded->core ? heel_backend_host(embedded->core->backend) : NULL;
}

const struct heel_error *heel_embedded_error(struct heel_embedded *embedded)
{
    wait_until_known(embedded);
    return embedded->error;
}

void heel_embedded_leave(struct heel_embedded *embedded)
{
    struct pollfd death = {.events = POLLIN};
    heel_autoclose int pidfd = -1;

    if (!embedded || !embedded->options.backend.brief)
        return;
    pidfd = (int)syscall(SYS_pidfd_open, embedded->launcher.pid, 0);
    death.fd = pidfd;
    if (pidfd >= 0 && poll(&death, 1, LEAVE_MS) == 1)
        waitpid(embedded->launcher.pid, NULL, WNOHANG);
}

void heel_embedded_stop(struct heel_embedded *embedded)
{
    if (!embedded)
        return;
    wait_until_known(embedded);
    if (embedded->core)
        uv_async_send(&embedded->stop);
    if (embedded->has_thread)
        pthread_join(embedded->thread, NULL);
    if (embedded->server_end >= 0)
        close(embedded->server_end);
    pthread_mutex_destroy(&embedded->lock);
    pthread_cond_destroy(&embedded->known);
    heel_error_free(embedded->error);
    free(embedded->state_dir);
    free(embedded->runtime_dir);
    free(embedded->config_dir);
    free(embedded);
}
