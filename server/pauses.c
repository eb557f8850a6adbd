#include "server/pauses.h"

#include "base/text.h"
#include "server/callers.h"
#include "server/sandboxes.h"

struct pause_waiter {
    struct pause_waiter *next;
    bool pause;
    pauses_on_set *on_set;
    void *data;
};

static void serve(struct server_sandbox *sandbox);

static void answer_first(struct server_sandbox *sandbox, const struct heel_error *error)
{
    struct pause_waiter *waiter = sandbox->pauses.first;

    sandbox->pauses.first = waiter->next;
    waiter->on_set(sandbox, error, waiter->data);
    free(waiter);
}

static void on_done(struct heel_sandbox *handle, enum heel_pause_mechanism mechanism,
                    const struct heel_error *error, void *data)
{
    struct server_sandbox *sandbox = data;
    struct pauses *pauses = &sandbox->pauses;

    (void)handle;
    pauses->busy = false;
    if (!pauses->first)
        return;
    pauses->paused = error ? !pauses->first->pause : pauses->first->pause;
    if (!error)
        pauses->mechanism = mechanism;
    if (!error)
        events_add_sandbox(sandbox, pauses->paused
                                        ? HEEL__V1__SANDBOX_EVENT_KIND__SANDBOX_EVENT_KIND_PAUSED
                                        : HEEL__V1__SANDBOX_EVENT_KIND__SANDBOX_EVENT_KIND_RESUMED);
    answer_first(sandbox, error);
    serve(sandbox);
}

/* One after the other, as they came: who asked last decides how it ends. */
static void serve(struct server_sandbox *sandbox)
{
    struct pauses *pauses = &sandbox->pauses;

    while (pauses->first && !pauses->busy) {
        if (pauses->first->pause == pauses->paused) {
            answer_first(sandbox, NULL);
            continue;
        }
        pauses->busy = true;
        pauses->paused = true;
        heel_sandbox_pause(sandbox->handle, pauses->first->pause, on_done, sandbox);
    }
}

void pauses_set(struct server_sandbox *sandbox, bool pause, pauses_on_set *on_set, void *data)
{
    struct pause_waiter *waiter = heel_xmalloc(sizeof *waiter);
    struct pause_waiter **end = &sandbox->pauses.first;

    *waiter = (struct pause_waiter){.pause = pause, .on_set = on_set, .data = data};
    while (*end)
        end = &(*end)->next;
    *end = waiter;
    serve(sandbox);
}

void pauses_abort(struct server_sandbox *sandbox)
{
    heel_autoerror struct heel_error *error = NULL;

    if (!sandbox->pauses.first)
        return;
    heel_error_set(&error, HEEL_ABORTED, "SANDBOX_DELETED", "sandbox %s is being deleted",
                   sandbox->id);
    heel_error_add_metadata(error, "sandbox_id", "%s", sandbox->id);
    while (sandbox->pauses.first)
        answer_first(sandbox, error);
}
