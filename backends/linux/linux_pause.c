/* Pausing a sandbox from heeld's side.
 *
 * One that has a cgroup is frozen in it, by heeld; any other is stopped by its init. Not every
 * sandbox gets a cgroup for that, since joining one takes each command some ten milliseconds, and
 * init's way leaves nothing running either. In both cases init is asked first: what it was told to
 * start before is started then, and doesn't get stuck on its way into a frozen cgroup, with init
 * waiting for it. */
#include "backends/linux/limits/freezer.h"
#include "backends/linux/linux_sandbox.h"
#include "backends/linux/processes/pause.h"

#define FREEZE_MS 2000 /* as long as init has patience */

static void ask_init(struct linux_sandbox *sandbox)
{
    heel_autobuffer struct heel_buffer payload = {0};
    struct heel_message message = {.type = HEEL_INIT_PAUSE};

    heel_put_u32(&payload, sandbox->pause.mechanism);
    message.payload = payload.data;
    message.length = payload.length;
    linux_sandbox_expect_answer(sandbox);
    if (sandbox->control_open)
        heel_channel_send(&sandbox->control, &message);
}

static void finish(struct linux_sandbox *sandbox, const struct heel_error *error)
{
    heel_on_paused *on_paused = heel_steal(sandbox->pause.on_paused);

    if (!sandbox->ending && on_paused)
        on_paused(&sandbox->base, sandbox->pause.mechanism, error, sandbox->pause.data);
}

/* Init is to know that they go on; its answer is the end of it, with the error that there was. */
static void give_up(struct linux_sandbox *sandbox, struct heel_error *error)
{
    sandbox->pause.error = error;
    sandbox->pause.mechanism = HEEL_PAUSE_NONE;
    ask_init(sandbox);
}

static void on_freezing_closed(void *data)
{
    struct linux_sandbox *sandbox = data;

    sandbox->closing--;
    linux_sandbox_advance(sandbox);
}

static void close_freezing(struct linux_sandbox *sandbox)
{
    sandbox->closing++;
    heel_freezing_close(heel_steal(sandbox->pause.freezing), on_freezing_closed, sandbox);
}

static void on_frozen(bool frozen, void *data)
{
    struct linux_sandbox *sandbox = data;
    struct heel_error *error = NULL;

    close_freezing(sandbox);
    if (frozen) {
        finish(sandbox, NULL);
        return;
    }
    heel_pause_set_timed_out(&error);
    give_up(sandbox, error);
}

static void freeze(struct linux_sandbox *sandbox)
{
    struct heel_error *error = NULL;

    sandbox->pause.freezing = heel_freezing_open(linux_backend_of(sandbox)->loop, sandbox->cgroup,
                                                 FREEZE_MS, on_frozen, sandbox, &error);
    if (!sandbox->pause.freezing)
        give_up(sandbox, error);
}

void linux_pause_on_answer(struct linux_sandbox *sandbox, struct heel_message *message)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    heel_autoerror struct heel_error *error = heel_steal(sandbox->pause.error);

    if (!sandbox->pause.on_paused || sandbox->pause.freezing)
        return; /* it wasn't asked */
    linux_sandbox_answered(sandbox);
    if (message->length > 0 && !error) {
        heel_get_error(&reader, &error);
        sandbox->pause.mechanism = sandbox->pause.before;
    }
    if (error || sandbox->pause.mechanism != HEEL_PAUSE_FREEZER)
        finish(sandbox, error);
    else if (!sandbox->ending)
        freeze(sandbox);
}

void linux_sandbox_pause(struct heel_sandbox *base, bool pause, heel_on_paused *on_paused,
                         void *data)
{
    struct linux_sandbox *sandbox = linux_sandbox_of(base);
    struct heel_error *error = NULL;

    sandbox->pause.on_paused = on_paused;
    sandbox->pause.data = data;
    if (sandbox->pause.mechanism == HEEL_PAUSE_FREEZER &&
        heel_freezer_thaw(sandbox->cgroup, &error)) {
        finish(sandbox, error);
        heel_error_free(error);
        return;
    }
    sandbox->pause.before = sandbox->pause.mechanism;
    sandbox->pause.mechanism = !pause                 ? HEEL_PAUSE_NONE
                               : sandbox->cgroup >= 0 ? HEEL_PAUSE_FREEZER
                                                      : HEEL_PAUSE_SIGNALS;
    ask_init(sandbox);
}

void linux_pause_close(struct linux_sandbox *sandbox)
{
    if (sandbox->pause.freezing)
        close_freezing(sandbox);
    heel_error_free(heel_steal(sandbox->pause.error));
}
