#include "server/core.h"

#include "base/text.h"
#include "server/events.h"
#include "server/health.h"
#include "server/log.h"

#define RETRY_MS 1000
#define ADMISSION_RETRY_MS 100
#define FLUSH_MS 1000 /* for the last answers to be read */

struct server_options server_default_options(void)
{
    return (struct server_options){
        .backend =
            {
                /* Above everything that distributions and systemd hand out (systemd.io, "Users,
                   Groups, UIDs and GIDs"). */
                .uid_first = 1879048192,
                .uid_count = 65536,
            },
        .default_level = HEEL__V1__ISOLATION_LEVEL__ISOLATION_LEVEL_STRICT,
        .max_sandboxes = 16384,
        .max_sandboxes_per_caller = 8192,
        .max_processes = 32768,
        .max_processes_per_caller = 16384,
        .max_streams = 32768,
        .max_streams_per_caller = 16384,
        .max_ring_bytes = (size_t)1 << 30,
        .max_ring_bytes_per_caller = (size_t)512 << 20,
        .grace_ms = 10000,
    };
}

int server_refuse_draining(struct heel_error **err)
{
    heel_error_set(err, HEEL_UNAVAILABLE, "SERVER_DRAINING",
                   "the server is shutting down; try again on its successor");
    if (err)
        (*err)->retry_after_ms = RETRY_MS;
    return -1;
}

int server_admit(const struct server_quota *quota, struct heel_error **err)
{
    bool all = quota->of_all >= quota->max_of_all;
    unsigned maximum = all ? quota->max_of_all : quota->max_of_caller;
    const char *whose = all ? "" : " of one caller";

    if (!all && quota->of_caller < quota->max_of_caller)
        return 0;
    heel_error_set(err, HEEL_RESOURCE_EXHAUSTED, "LIMIT_REACHED",
                   "the limit of %u %s%s is reached; end some or try again later", maximum,
                   quota->kind, whose);
    if (err) {
        heel_error_add_metadata(*err, "limit", "%s%s", quota->kind, whose);
        heel_error_add_metadata(*err, "maximum", "%u", maximum);
        (*err)->retry_after_ms = ADMISSION_RETRY_MS;
    }
    return -1;
}

static void on_wake(uv_async_t *wake)
{
    struct server_core *core = wake->data;

    grpcc_queue_dispatch(core->queue);
}

/* From the queue's thread. */
static void wake_loop(void *context)
{
    uv_async_send(context);
}

static void on_idle(uv_timer_t *timer)
{
    struct server_core *core = timer->data;

    log_event(LOG_LEVEL_INFO, "idle, leaving", LOG_INT("after_ms", core->options.idle_exit_ms));
    server_shut_down(core, core->on_closed);
}

struct server_core *server_open(uv_loop_t *loop, const struct server_options *options,
                                struct heel_launcher *launcher, struct heel_error **err)
{
    struct server_core *core = heel_xcalloc(1, sizeof *core);
    struct grpcc_waker waker = {.wake = wake_loop, .context = &core->wake};

    core->loop = loop;
    core->options = *options;
    core->rings.maximum = options->max_ring_bytes;
    core->backend = heel_backend_open(loop, &options->backend, launcher, err);
    if (!core->backend) {
        free(core);
        return NULL;
    }
    uv_async_init(loop, &core->wake, on_wake);
    core->wake.data = core;
    uv_timer_init(loop, &core->idle_timer);
    core->idle_timer.data = core;
    uv_timer_init(loop, &core->grace_timer);
    core->grace_timer.data = core;
    core->queue = grpcc_queue_new(&waker);
    server_note_activity(core);
    return core;
}

/* ---- the end: notify, grace, cancel, delete, close ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct server_core *core = handle->data;
    void (*on_closed)(struct server_core * core) = core->on_closed;

    if (--core->open_handles > 0)
        return;
    if (on_closed)
        on_closed(core);
    free(core);
}

static void on_backend_closed(void *data)
{
    struct server_core *core = data;

    callers_free(core);
    grpcc_queue_free(core->queue);
    core->open_handles = 3;
    uv_close((uv_handle_t *)&core->wake, on_handle_closed);
    uv_close((uv_handle_t *)&core->idle_timer, on_handle_closed);
    uv_close((uv_handle_t *)&core->grace_timer, on_handle_closed);
}

static void on_calls_over(struct server_core *core)
{
    uv_timer_stop(&core->grace_timer);
    heel_backend_close(core->backend, on_backend_closed, core);
}

static void on_flush_over(uv_timer_t *timer)
{
    callers_cancel_all(timer->data);
}

/* The commands ended with the sandboxes, and the calls that waited for them are being answered.
 * Only now gRPC refuses new calls; until here the handlers did, with a reason. */
static void on_none_left(struct server_core *core)
{
    if (core->closing)
        return;
    core->closing = true;
    events_end_all(core);
    uv_timer_start(&core->grace_timer, on_flush_over, FLUSH_MS, 0);
    callers_drain(core, on_calls_over);
}

static void end_grace(struct server_core *core)
{
    if (core->grace_over)
        return;
    core->grace_over = true;
    uv_timer_stop(&core->grace_timer);
    sandboxes_delete_all(core, on_none_left);
}

static void on_grace_over(uv_timer_t *timer)
{
    end_grace(timer->data);
}

/* Work that was accepted: commands that run, and sandboxes that are being made. */
static bool has_work(const struct server_core *core)
{
    if (core->processes > 0)
        return true;
    for (const struct server_sandbox *sandbox = core->sandboxes.first; sandbox;
         sandbox = sandbox->next) {
        if (sandbox->state == SANDBOX_CREATING)
            return true;
    }
    return false;
}

void server_note_activity(struct server_core *core)
{
    if (core->draining && !has_work(core))
        end_grace(core);
    if (core->options.idle_exit_ms <= 0 || core->draining)
        return;
    if (core->sandboxes.count == 0)
        uv_timer_start(&core->idle_timer, on_idle, (uint64_t)core->options.idle_exit_ms, 0);
    else
        uv_timer_stop(&core->idle_timer);
}

void server_shut_down(struct server_core *core, void (*on_closed)(struct server_core *core))
{
    core->on_closed = on_closed;
    if (core->closing) {
        callers_cancel_all(core);
        return;
    }
    if (core->draining) {
        end_grace(core);
        return;
    }
    core->draining = true;
    log_event(LOG_LEVEL_INFO, "draining", LOG_INT("sandboxes", core->sandboxes.count),
              LOG_INT("commands", core->processes));
    uv_timer_stop(&core->idle_timer);
    uv_timer_start(&core->grace_timer, on_grace_over, (uint64_t)core->options.grace_ms, 0);
    health_stop(core);
    server_note_activity(core);
}
