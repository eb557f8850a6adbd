#include "server/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "server/callers.h"
#include "server/core.h"
#include "server/log.h"

#define BACKLOG 1024
#define ACCEPTS_PER_TURN 64 /* then others have a turn */
#define PAUSE_MS 100        /* when there are no descriptors left */
#define LOCK_TURNS 10       /* each but the first because another server has just ended */

static int set_address(const char *path, struct sockaddr_un *address, struct heel_error **err)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (path[0] != '/')
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                              "the socket's path %s must be absolute", path);
    if (strlen(path) >= sizeof address->sun_path)
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                              "the socket's path %s is longer than %zu bytes", path,
                              sizeof address->sun_path - 1);
    memcpy(address->sun_path, path, strlen(path) + 1);
    return 0;
}

/* Whether `path` still leads to the open file. */
static bool is_at(int fd, const char *path)
{
    struct stat opened, named;

    return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

static int refuse_second(const char *path, struct heel_error **err)
{
    return heel_error_set(
        err, HEEL_ALREADY_EXISTS, NULL,
        "a heeld listens on %s already; use it, stop it, or name another socket with --listen",
        path);
}

/* Two servers that start at once must not both find the other's socket stale: whoever holds the
 * lock decides. A server that ends removes its lock file, and a lock on a file that was opened
 * before that keeps nobody away: then the next file is tried. */
static int lock(const char *path, struct heel_error **err)
{
    heel_autofree char *lock_path = heel_format("%s.lock", path);

    for (int turn = 0; turn < LOCK_TURNS; turn++) {
        heel_autoclose int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0)
            return heel_error_set_errno(err, errno, "%s can't be opened", lock_path);
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
            return errno == EWOULDBLOCK
                       ? refuse_second(path, err)
                       : heel_error_set_errno(err, errno, "%s can't be locked", lock_path);
        if (is_at(fd, lock_path))
            return heel_steal_fd(&fd);
    }
    return refuse_second(path, err);
}

/* Removes the socket of a dead server, which refuses connections. */
static int remove_stale(const struct sockaddr_un *address, struct heel_error **err)
{
    heel_autoclose int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct stat status;

    if (probe < 0)
        return heel_error_set_errno(err, errno, "socket");
    if (lstat(address->sun_path, &status) < 0)
        return errno == ENOENT ? 0 : heel_error_set_errno(err, errno, "%s", address->sun_path);
    if (!S_ISSOCK(status.st_mode))
        return heel_error_set(err, HEEL_ALREADY_EXISTS, NULL,
                              "%s exists and is not a socket; remove it or name another path",
                              address->sun_path);
    if (connect(probe, (const struct sockaddr *)address, sizeof *address) == 0 ||
        errno != ECONNREFUSED)
        return heel_error_set(err, HEEL_ALREADY_EXISTS, NULL,
                              "somebody listens on %s already; name another socket with --listen",
                              address->sun_path);
    if (unlink(address->sun_path) < 0)
        return heel_error_set_errno(err, errno, "remove the stale socket %s", address->sun_path);
    return 0;
}

static int bind_socket(struct listener *listener, const struct sockaddr_un *address,
                       struct heel_error **err)
{
    mode_t mask = umask(0177); /* from its first moment on nobody else may connect */
    int result = bind(listener->fd, (const struct sockaddr *)address, sizeof *address);

    umask(mask);
    if (result < 0)
        return heel_error_set_errno(err, errno, "bind %s", address->sun_path);
    if (lstat(address->sun_path, &listener->socket) < 0 || listen(listener->fd, BACKLOG) < 0)
        return heel_error_set_errno(err, errno, "listen on %s", address->sun_path);
    return 0;
}

static void unlink_lock(const struct listener *listener)
{
    heel_autofree char *lock_path = heel_format("%s.lock", listener->path);

    unlink(lock_path);
}

static void listener_free(struct listener *listener)
{
    if (listener->fd >= 0)
        close(listener->fd);
    if (listener->lock_fd >= 0)
        close(listener->lock_fd);
    free(listener->path);
    free(listener);
}

struct listener *listener_open(const char *path, struct heel_error **err)
{
    struct listener *listener = heel_xcalloc(1, sizeof *listener);
    struct sockaddr_un address;

    listener->path = heel_xstrdup(path);
    listener->fd = listener->lock_fd = -1;
    if (set_address(path, &address, err) < 0 || (listener->lock_fd = lock(path, err)) < 0 ||
        remove_stale(&address, err) < 0) {
        listener_free(listener);
        return NULL;
    }
    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0 || bind_socket(listener, &address, err) < 0) {
        if (listener->fd < 0)
            heel_error_set_errno(err, errno, "socket");
        listener_free(listener);
        return NULL;
    }
    return listener;
}

static void on_connection(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *timer)
{
    struct listener *listener = timer->data;

    uv_poll_start(&listener->poll, UV_READABLE, on_connection);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct listener *listener = poll->data;

    (void)status; /* an error shows in accept */
    (void)events;
    for (int turn = 0; turn < ACCEPTS_PER_TURN; turn++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0) {
            callers_add_connection(listener->core, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            log_event(LOG_LEVEL_ERROR, "cannot accept", LOG_TEXT("reason", strerror(errno)));
            uv_poll_stop(poll);
            uv_timer_start(&listener->pause, on_pause_over, PAUSE_MS, 0);
        }
        return;
    }
}

void listener_start(struct listener *listener, struct server_core *core)
{
    listener->core = core;
    if (uv_poll_init(core->loop, &listener->poll, listener->fd) != 0)
        abort(); /* a socket can always be polled */
    uv_timer_init(core->loop, &listener->pause);
    listener->poll.data = listener->pause.data = listener;
    listener->open_handles = 2;
    uv_poll_start(&listener->poll, UV_READABLE, on_connection);
    log_event(LOG_LEVEL_INFO, "listening", LOG_TEXT("socket", listener->path));
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;

    if (--listener->open_handles == 0)
        listener_free(listener);
}

void listener_close(struct listener *listener)
{
    struct stat now;

    if (lstat(listener->path, &now) == 0 && now.st_dev == listener->socket.st_dev &&
        now.st_ino == listener->socket.st_ino)
        unlink(listener->path);
    unlink_lock(listener);
    if (listener->open_handles == 0) {
        listener_free(listener);
        return;
    }
    uv_close((uv_handle_t *)&listener->poll, on_handle_closed);
    uv_close((uv_handle_t *)&listener->pause, on_handle_closed);
}
