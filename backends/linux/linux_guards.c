/* heeld's side of what is guarded: it hears that something came under a guarded name, and has the
 * launcher cover it. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "backends/linux/linux.h"
#include "backends/linux/plan/guards.h"

#define PAUSE_MS \
    5 /* between two looks, so that a program that keeps making files doesn't keep heeld busy */

struct linux_guards {
    struct linux_backend *backend;
    uint32_t serial;              /* the sandbox's */
    const struct heel_plan *plan; /* borrowed from its preparation */
    int *watches;                 /* owned; per mount of the plan */
    int mounts;                   /* owned; its mount namespace */
    int inotify;                  /* owned */
    uv_poll_t poll;
    uv_timer_t pause;
    unsigned closing;
    void (*on_closed)(void *data);
    void *data;
};

static void cover(struct linux_guards *guards, const struct heel_mount *mount)
{
    heel_autobuffer struct heel_buffer payload = {0};
    struct heel_message message = {.type = HEEL_LAUNCHER_COVER, .id = guards->serial};

    heel_put_u32(&payload, (uint32_t)mount->kind);
    heel_put_u32(&payload, mount->flags);
    heel_put_string(&payload, mount->target);
    message.payload = payload.data;
    message.length = payload.length;
    message.fds[0] = fcntl(guards->mounts, F_DUPFD_CLOEXEC, 0); /* which sending takes over */
    if (message.fds[0] < 0)
        return;
    message.fd_count = 1;
    heel_channel_send(&guards->backend->launcher, &message);
}

static void note_newcomer(const struct linux_guards *guards, const struct inotify_event *event,
                          bool *came)
{
    bool any = event->mask & IN_Q_OVERFLOW;

    for (size_t i = 0; i < guards->plan->mount_count; i++)
        if (guards->watches[i] >= 0 &&
            (any || (guards->watches[i] == event->wd && event->len > 0 &&
                     strcmp(strrchr(guards->plan->mounts[i].target, '/') + 1, event->name) == 0)))
            came[i] = true;
}

/* Each once, however often somebody has replaced it. */
static void cover_newcomers(struct linux_guards *guards, const char *events, ssize_t length)
{
    heel_autofree bool *came = heel_xcalloc(guards->plan->mount_count, sizeof *came);
    const struct inotify_event *event;

    for (ssize_t at = 0; at < length; at += (ssize_t)(sizeof *event + event->len)) {
        event = (const struct inotify_event *)(const void *)(events + at);
        note_newcomer(guards, event, came);
    }
    for (size_t i = 0; i < guards->plan->mount_count; i++)
        if (came[i])
            cover(guards, &guards->plan->mounts[i]);
}

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *timer)
{
    struct linux_guards *guards = heel_container_of(timer, struct linux_guards, pause);

    uv_poll_start(&guards->poll, UV_READABLE, on_readable);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct linux_guards *guards = heel_container_of(poll, struct linux_guards, poll);
    _Alignas(struct inotify_event) char bytes[4096];
    ssize_t length = read(guards->inotify, bytes, sizeof bytes);

    (void)status;
    (void)events;
    cover_newcomers(guards, bytes, length);
    uv_poll_stop(poll);
    uv_timer_start(&guards->pause, on_pause_over, PAUSE_MS, 0);
}

struct linux_guards *linux_guards_open(struct linux_backend *backend, uint32_t serial,
                                       struct heel_preparation *preparation, int mounts)
{
    struct linux_guards *guards = heel_xcalloc(1, sizeof *guards);

    guards->backend = backend;
    guards->serial = serial;
    guards->plan = preparation->plan;
    guards->watches = heel_steal(preparation->watches);
    guards->inotify = preparation->inotify;
    guards->mounts = mounts;
    uv_timer_init(backend->loop, &guards->pause);
    /* An inotify descriptor can be polled for certain. */
    if (uv_poll_init(backend->loop, &guards->poll, guards->inotify))
        abort();
    uv_poll_start(&guards->poll, UV_READABLE, on_readable);
    return guards;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct linux_guards *guards = handle->data;
    void (*on_closed)(void *data) = guards->on_closed;
    void *data = guards->data;

    if (--guards->closing > 0)
        return;
    close(guards->inotify);
    close(guards->mounts);
    free(guards->watches);
    free(guards);
    on_closed(data);
}

void linux_guards_close(struct linux_guards *guards, void (*on_closed)(void *data), void *data)
{
    guards->on_closed = on_closed;
    guards->data = data;
    guards->closing = 2;
    guards->poll.data = guards->pause.data = guards;
    uv_close((uv_handle_t *)&guards->poll, on_handle_closed);
    uv_close((uv_handle_t *)&guards->pause, on_handle_closed);
}
