#include "server/sandboxes.h"

#include <search.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "server/callers.h"
#include "server/command.h"
#include "server/core.h"
#include "server/edge.h"
#include "server/environment.h"
#include "server/log.h"
#include "server/process.h"
#include "server/service.h"
#include "server/spec.h"
#include "server/spec_check.h"

#define RETRY_MS 100

/* Somebody who waits for a sandbox to be made, or to be gone. */
struct sandbox_waiter {
    struct sandbox_waiter *next;
    sandbox_on_ready *on_ready;
    sandbox_on_deleted *on_deleted;
    void *data;
};

static void add_waiter(struct sandbox_waiter **list, struct sandbox_waiter waiter)
{
    struct sandbox_waiter *added = heel_xmalloc(sizeof *added);

    *added = waiter;
    added->next = *list;
    *list = added;
}

/* ---- the index ---- */

static int compare_names(const void *left_item, const void *right_item)
{
    const struct server_sandbox *left = left_item, *right = right_item;

    if (left->owner != right->owner)
        return (uintptr_t)left->owner < (uintptr_t)right->owner ? -1 : 1;
    return strcmp(left->id, right->id);
}

static struct server_sandbox *look_up(struct caller *caller, const char *id)
{
    struct server_sandbox key = {.owner = caller->owner, .id = (char *)(uintptr_t)id};
    void *node = tfind(&key, &caller->core->sandboxes.by_name, compare_names);

    return node ? *(struct server_sandbox **)node : NULL;
}

static void index_add(struct server_sandbox *sandbox)
{
    struct sandboxes *all = &sandbox->core->sandboxes;

    if (!tsearch(sandbox, &all->by_name, compare_names))
        abort();
    sandbox->previous = all->last;
    if (all->last)
        all->last->next = sandbox;
    else
        all->first = sandbox;
    all->last = sandbox;
    all->count++;
    sandbox->owner->sandboxes++;
}

static void index_remove(struct server_sandbox *sandbox)
{
    struct sandboxes *all = &sandbox->core->sandboxes;

    tdelete(sandbox, &all->by_name, compare_names);
    if (sandbox->previous)
        sandbox->previous->next = sandbox->next;
    else
        all->first = sandbox->next;
    if (sandbox->next)
        sandbox->next->previous = sandbox->previous;
    else
        all->last = sandbox->previous;
    all->count--;
    sandbox->owner->sandboxes--;
}

static int not_found(const char *id, struct heel_error **err)
{
    heel_error_set(err, HEEL_NOT_FOUND, "SANDBOX_NOT_FOUND",
                   "there is no sandbox %s; it may have expired", id);
    if (err)
        heel_error_add_metadata(*err, "sandbox_id", "%s", id);
    return -1;
}

struct server_sandbox *sandboxes_find(struct caller *caller, const char *id,
                                      struct heel_error **err)
{
    struct server_sandbox *sandbox;

    if (spec_check_id(id, "sandbox_id", err) < 0)
        return NULL;
    sandbox = look_up(caller, id);
    if (!sandbox || sandbox->private_to_call) {
        not_found(id, err);
        return NULL;
    }
    return sandbox;
}

struct server_sandbox *sandboxes_find_ready(struct caller *caller, const char *id,
                                            struct heel_error **err)
{
    struct server_sandbox *sandbox = sandboxes_find(caller, id, err);

    if (sandbox && sandbox->state != SANDBOX_READY) {
        not_found(id, err);
        return NULL;
    }
    return sandbox;
}

/* ---- making one ---- */

static char *random_id(void)
{
    unsigned char bits[16];
    heel_autobuffer struct heel_buffer text = {0};

    if (getrandom(bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        abort();
    heel_buffer_append_text(&text, "sb-");
    for (size_t i = 0; i < sizeof bits; i++)
        heel_buffer_printf(&text, "%02x", bits[i]);
    return heel_steal(text.data);
}

static int admit(struct caller *caller, struct heel_error **err)
{
    const struct server_core *core = caller->core;
    const struct server_quota quota = {
        .kind = "sandboxes",
        .of_all = core->sandboxes.count,
        .max_of_all = core->options.max_sandboxes,
        .of_caller = caller->owner->sandboxes,
        .max_of_caller = core->options.max_sandboxes_per_caller,
    };

    return core->draining ? server_refuse_draining(err) : server_admit(&quota, err);
}

static void sandbox_free(struct server_sandbox *sandbox)
{
    heel__v1__sandbox_spec__free_unpacked(sandbox->spec, NULL);
    heel_buffer_free(&sandbox->canonical);
    answers_clear(&sandbox->answers);
    free(sandbox->id);
    free(sandbox);
}

static void answer_creation(struct server_sandbox *sandbox, const struct heel_error *error)
{
    struct sandbox_waiter *waiters = heel_steal(sandbox->creation_waiters);

    while (waiters) {
        struct sandbox_waiter *waiter = waiters;

        waiters = waiter->next;
        waiter->on_ready(error ? NULL : sandbox, error, waiter->data);
        free(waiter);
    }
}

static void answer_deletion(struct server_sandbox *sandbox, const struct sandbox_end *end)
{
    struct sandbox_waiter *waiters = heel_steal(sandbox->deletion_waiters);

    while (waiters) {
        struct sandbox_waiter *waiter = waiters;

        waiters = waiter->next;
        waiter->on_deleted(end, waiter->data);
        free(waiter);
    }
}

static void forget(struct server_sandbox *sandbox)
{
    struct server_core *core = sandbox->core;

    index_remove(sandbox);
    sandbox_free(sandbox);
    server_note_activity(core);
    if (core->sandboxes.count == 0 && core->sandboxes.on_none_left)
        core->sandboxes.on_none_left(core);
}

/* A private sandbox lives as long as one call, and is logged at the level of calls: debug. */
static void log_life(const struct server_sandbox *sandbox, const char *event)
{
    log_event(sandbox->private_to_call ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, event,
              LOG_TEXT("sandbox", sandbox->id), LOG_INT("uid", sandbox->owner->uid));
}

static void tell_aborted(struct server_sandbox *sandbox)
{
    heel_autoerror struct heel_error *error = NULL;

    heel_error_set(&error, HEEL_ABORTED, "SANDBOX_DELETED",
                   "sandbox %s was deleted while it was being made", sandbox->id);
    heel_error_add_metadata(error, "sandbox_id", "%s", sandbox->id);
    answer_creation(sandbox, error);
}

static void start_destroy(struct server_sandbox *sandbox);

static void on_denied(const struct heel_denial *denial, void *data)
{
    commands_take_denial(data, denial);
}

static void on_created(struct heel_sandbox *handle, const struct heel_error *error, void *data)
{
    struct server_sandbox *sandbox = data;

    if (error) {
        if (!sandbox->private_to_call || error->code == HEEL_INTERNAL)
            log_failure(LOG_LEVEL_WARN, "sandbox could not be made", sandbox->id, error);
        answer_creation(sandbox, error);
        answer_deletion(sandbox, &(const struct sandbox_end){.kept_dir = ""});
        forget(sandbox);
        return;
    }
    sandbox->handle = handle;
    sandbox->created_at = sandbox->idle_since = uv_now(sandbox->core->loop);
    if (sandbox->delete_when_made) {
        tell_aborted(sandbox);
        start_destroy(sandbox);
        return;
    }
    sandbox->state = SANDBOX_READY;
    heel_sandbox_watch_denials(handle, on_denied, sandbox);
    environment_complete(sandbox->spec, heel_sandbox_paths(handle));
    log_life(sandbox, "sandbox created");
    events_add_sandbox(sandbox, HEEL__V1__SANDBOX_EVENT_KIND__SANDBOX_EVENT_KIND_CREATED);
    sandboxes_update_expiry(sandbox);
    answer_creation(sandbox, NULL);
}

static void on_lost(struct heel_sandbox *handle, void *data)
{
    struct server_sandbox *sandbox = data;

    (void)handle;
    log_event(LOG_LEVEL_ERROR, "sandbox lost", LOG_TEXT("sandbox", sandbox->id),
              LOG_INT("uid", sandbox->owner->uid));
    events_add_sandbox(sandbox, HEEL__V1__SANDBOX_EVENT_KIND__SANDBOX_EVENT_KIND_LOST);
    sandboxes_delete(sandbox, NULL, NULL);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void start_create(struct server_sandbox *sandbox, const struct caller *caller)
{
    auto_spec_lists lists = {0};
    heel_autofree char *name = heel_format("%llu-%u", (unsigned long long)sandbox->sequence,
                                           (unsigned)sandbox->owner->uid);
    struct heel_sandbox_spec spec = spec_for_backend(sandbox->spec, &lists);

    spec.id = name; /* ids are unique per caller only */
    spec.caller = caller->identity;
    heel_backend_create(sandbox->core->backend, &spec, on_created, on_lost, sandbox);
}

static int join_existing(struct server_sandbox *sandbox, const struct heel_buffer *canonical,
                         struct sandbox_waiter waiter, struct heel_error **err)
{
    if (sandbox->canonical.length != canonical->length ||
        (canonical->length &&
         memcmp(sandbox->canonical.data, canonical->data, canonical->length) != 0)) {
        heel_error_set(err, HEEL_ALREADY_EXISTS, "SANDBOX_EXISTS",
                       "sandbox %s exists with another spec; choose another id", sandbox->id);
        if (err)
            heel_error_add_metadata(*err, "sandbox_id", "%s", sandbox->id);
        return -1;
    }
    if (sandbox->state == SANDBOX_DELETING || sandbox->delete_when_made) {
        heel_error_set(err, HEEL_ABORTED, "SANDBOX_DELETED",
                       "sandbox %s is being deleted; try again", sandbox->id);
        if (err) {
            heel_error_add_metadata(*err, "sandbox_id", "%s", sandbox->id);
            (*err)->retry_after_ms = RETRY_MS;
        }
        return -1;
    }
    if (sandbox->state == SANDBOX_READY)
        waiter.on_ready(sandbox, NULL, waiter.data);
    else
        add_waiter(&sandbox->creation_waiters, waiter);
    return 0;
}

int sandboxes_create(struct caller *caller, const char *id, const Heel__V1__SandboxSpec *spec,
                     bool private_to_call, sandbox_on_ready *on_ready, void *data,
                     struct heel_error **err)
{
    struct sandbox_waiter waiter = {.on_ready = on_ready, .data = data};
    heel_autobuffer struct heel_buffer canonical = {0};
    struct server_sandbox *sandbox;

    spec_append_canonical(spec, &canonical);
    sandbox = id[0] ? look_up(caller, id) : NULL;
    if (sandbox)
        return join_existing(sandbox, &canonical, waiter, err);
    if (admit(caller, err) < 0)
        return -1;
    sandbox = heel_xcalloc(1, sizeof *sandbox);
    sandbox->core = caller->core;
    sandbox->owner = caller->owner;
    sandbox->id = id[0] ? heel_xstrdup(id) : random_id();
    sandbox->sequence = ++caller->core->sandboxes.next_sequence;
    sandbox->id_chosen_here = !id[0];
    sandbox->private_to_call = private_to_call;
    sandbox->answers.budget = &caller->owner->rings;
    sandbox->spec = spec_new_effective(spec, caller->core->options.default_level);
    sandbox->create_time_ms = now_ms();
    sandbox->canonical = canonical;
    canonical = (struct heel_buffer){0};
    index_add(sandbox);
    add_waiter(&sandbox->creation_waiters, waiter);
    server_note_activity(caller->core);
    start_create(sandbox, caller);
    return 0;
}

/* ---- its end ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    free(handle);
}

static void stop_expiry(struct server_sandbox *sandbox)
{
    if (sandbox->expiry)
        uv_close((uv_handle_t *)sandbox->expiry, on_handle_closed);
    sandbox->expiry = NULL;
}

static void on_destroyed(const struct heel_sandbox_end *left, void *data)
{
    struct server_sandbox *sandbox = data;
    heel_autofree char *kept_dir = heel_steal(sandbox->kept_dir);
    const struct sandbox_end end = {
        .error = left->error, .kept_dir = kept_dir ? kept_dir : "", .left = left};

    if (left->error)
        log_failure(LOG_LEVEL_ERROR, "sandbox not removed completely", sandbox->id, left->error);
    for (size_t i = 0; i < left->file_count; i++)
        log_event(LOG_LEVEL_WARN, "sandbox left a file that acts outside later",
                  LOG_TEXT("sandbox", sandbox->id), LOG_TEXT("path", left->files[i].path));
    log_life(sandbox, "sandbox deleted");
    sandbox->handle = NULL;
    commands_lost(sandbox);
    processes_release(sandbox);
    runs_release(sandbox);
    events_add_deleted(sandbox, left);
    answer_deletion(sandbox, &end);
    forget(sandbox);
}

static void start_destroy(struct server_sandbox *sandbox)
{
    sandbox->state = SANDBOX_DELETING;
    stop_expiry(sandbox);
    if (sandbox->spec->filesystem->keep_working_dir)
        sandbox->kept_dir = heel_xstrdup(heel_sandbox_paths(sandbox->handle)->host_working_dir);
    pauses_abort(sandbox);
    commands_mark(sandbox, HEEL__V1__EXIT_REASON__EXIT_REASON_DELETED);
    heel_sandbox_destroy(sandbox->handle, on_destroyed, sandbox);
}

void sandboxes_when_deleted(struct server_sandbox *sandbox, sandbox_on_deleted *on_deleted,
                            void *data)
{
    add_waiter(&sandbox->deletion_waiters,
               (struct sandbox_waiter){.on_deleted = on_deleted, .data = data});
}

void sandboxes_delete(struct server_sandbox *sandbox, sandbox_on_deleted *on_deleted, void *data)
{
    if (on_deleted)
        sandboxes_when_deleted(sandbox, on_deleted, data);
    if (sandbox->state == SANDBOX_CREATING)
        sandbox->delete_when_made = true;
    else if (sandbox->state == SANDBOX_READY)
        start_destroy(sandbox);
}

void sandboxes_delete_all(struct server_core *core, void (*on_none_left)(struct server_core *core))
{
    struct server_sandbox *next;

    core->sandboxes.on_none_left = on_none_left;
    for (struct server_sandbox *sandbox = core->sandboxes.first; sandbox; sandbox = next) {
        next = sandbox->next;
        sandboxes_delete(sandbox, NULL, NULL);
    }
    if (core->sandboxes.count == 0)
        on_none_left(core);
}

/* ---- expiry ---- */

/* The uv_now at which it ends as things stand, or 0 for never. */
static uint64_t expires_at(const struct server_sandbox *sandbox)
{
    int64_t ttl = spec_duration_ms(sandbox->spec->lifetime->ttl);
    int64_t idle_ttl = spec_duration_ms(sandbox->spec->lifetime->idle_ttl);
    uint64_t at = ttl > 0 ? sandbox->created_at + (uint64_t)ttl : 0;

    if (idle_ttl > 0 && sandbox->running == 0) {
        uint64_t idle_at = sandbox->idle_since + (uint64_t)idle_ttl;

        at = at == 0 || idle_at < at ? idle_at : at;
    }
    return at;
}

static void on_expired(uv_timer_t *timer)
{
    struct server_sandbox *sandbox = timer->data;

    log_life(sandbox, "sandbox expired");
    events_add_sandbox(sandbox, HEEL__V1__SANDBOX_EVENT_KIND__SANDBOX_EVENT_KIND_EXPIRED);
    sandboxes_delete(sandbox, NULL, NULL);
}

void sandboxes_update_expiry(struct server_sandbox *sandbox)
{
    uint64_t at = expires_at(sandbox), now = uv_now(sandbox->core->loop);

    if (sandbox->state != SANDBOX_READY)
        return;
    if (at == 0) {
        stop_expiry(sandbox);
        return;
    }
    if (!sandbox->expiry) {
        sandbox->expiry = heel_xcalloc(1, sizeof *sandbox->expiry);
        uv_timer_init(sandbox->core->loop, sandbox->expiry);
        sandbox->expiry->data = sandbox;
    }
    uv_timer_start(sandbox->expiry, on_expired, at > now ? at - now : 0, 0);
}

/* ---- describing it ---- */

static const Heel__V1__SandboxState message_states[] = {
    [SANDBOX_CREATING] = HEEL__V1__SANDBOX_STATE__SANDBOX_STATE_CREATING,
    [SANDBOX_READY] = HEEL__V1__SANDBOX_STATE__SANDBOX_STATE_READY,
    [SANDBOX_DELETING] = HEEL__V1__SANDBOX_STATE__SANDBOX_STATE_DELETING,
};

Heel__V1__SandboxState sandboxes_message_state(const struct server_sandbox *sandbox)
{
    if (sandbox->state == SANDBOX_READY && sandbox->pauses.paused)
        return HEEL__V1__SANDBOX_STATE__SANDBOX_STATE_PAUSED;
    return message_states[sandbox->state];
}

static void describe_handle(const struct server_sandbox *sandbox, Heel__V1__Sandbox *message)
{
    const struct heel_sandbox_paths *paths = heel_sandbox_paths(sandbox->handle);

    message->n_enforcement = HEEL_PROTECTION_COUNT;
    message->enforcement = edge_new_enforcement(heel_sandbox_enforcement(sandbox->handle));
    message->working_dir = heel_xstrdup(paths->working_dir);
    message->home_dir = heel_xstrdup(paths->home_dir);
    message->temp_dir = heel_xstrdup(paths->temp_dir);
    message->host_working_dir = heel_xstrdup(paths->host_working_dir);
}

Heel__V1__Sandbox *sandboxes_describe(const struct server_sandbox *sandbox)
{
    Heel__V1__Sandbox *message = heel_xmalloc(sizeof *message);
    uint64_t at = sandbox->state == SANDBOX_READY ? expires_at(sandbox) : 0;

    heel__v1__sandbox__init(message);
    message->sandbox_id = heel_xstrdup(sandbox->id);
    message->state = sandboxes_message_state(sandbox);
    message->effective_spec = spec_copy(sandbox->spec);
    message->create_time = edge_new_timestamp_ms(sandbox->create_time_ms);
    message->running_commands = sandbox->running;
    if (message->state == HEEL__V1__SANDBOX_STATE__SANDBOX_STATE_PAUSED)
        message->pause_mechanism = edge_pause_mechanism(sandbox->pauses.mechanism);
    if (at != 0)
        message->expire_time =
            edge_new_timestamp_ms(sandbox->create_time_ms + (int64_t)(at - sandbox->created_at));
    if (sandbox->handle)
        describe_handle(sandbox, message);
    return message;
}
