/* A sandbox's init as heeld has it: its birth, what it says on its control socket, its silence and
 * its death. It shares its sandbox with code that nobody trusts, so whatever it does may end that
 * sandbox and nothing else. */
#include "backends/linux/linux_sandbox.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SILENCE_MS 30000 /* an init that owes an answer for this long is killed */

/* The message's last descriptor is the listener, if there is one. A supervised sandbox whose
 * listener got lost could not connect to anything: that is an error. */
static int supervise(struct linux_sandbox *sandbox, bool supervised, struct heel_message *message,
                     struct heel_error **err)
{
    int listener;

    if (!supervised)
        return 0;
    if (message->fd_count == 0)
        return heel_error_set_errno(err, EMFILE, "cannot hold another sandbox");
    listener = message->fds[--message->fd_count];
    sandbox->supervisor =
        linux_supervisor_open(linux_backend_of(sandbox)->loop, listener, &sandbox->control, err);
    return sandbox->supervisor ? 0 : -1;
}

static void on_ready(struct linux_sandbox *sandbox, struct heel_message *message)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    struct heel_error *error = NULL;
    bool supervised;
    pid_t holder;

    linux_sandbox_answered(sandbox);
    sandbox->has_own_quotas = heel_get_u32(&reader) == 1;
    sandbox->unsupervised = (int)heel_get_u32(&reader);
    supervised = heel_get_u32(&reader) == 1;
    holder = (pid_t)heel_get_u32(&reader);
    sandbox->confiner = (pid_t)heel_get_u32(&reader);
    if (!heel_reader_done(&reader))
        heel_error_set(&error, HEEL_INTERNAL, NULL, "a sandbox's init answered garbage");
    if (error || supervise(sandbox, supervised, message, &error)) {
        linux_sandbox_fail(sandbox, error);
        return;
    }
    if (heel_vantage_take(&sandbox->vantage, message)) {
        sandbox->vantage.holder = holder;
        sandbox->vantage.nursery = sandbox->confiner;
    }
    sandbox->ready = true;
    linux_sandbox_advance(sandbox);
}

static void on_failed(struct linux_sandbox *sandbox, struct heel_message *message)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    struct heel_error *error = NULL;

    if (sandbox->ready)
        return;
    heel_get_error(&reader, &error);
    linux_sandbox_fail(sandbox, error);
}

static void on_mounts(struct linux_sandbox *sandbox, struct heel_message *message)
{
    int mounts = heel_message_take_fd(message, 0);

    if (mounts >= 0 && sandbox->preparation.watches)
        sandbox->guards = linux_guards_open(linux_backend_of(sandbox), sandbox->serial,
                                            &sandbox->preparation, mounts);
    else if (mounts >= 0)
        close(mounts);
}

static void on_control_message(struct heel_channel *channel, struct heel_message *message)
{
    struct linux_sandbox *sandbox = heel_container_of(channel, struct linux_sandbox, control);

    if (message->type == HEEL_INIT_READY && !sandbox->ready)
        on_ready(sandbox, message);
    else if (message->type == HEEL_INIT_FAILED)
        on_failed(sandbox, message);
    else if (message->type == HEEL_INIT_HAND_GONE && sandbox->supervisor)
        linux_supervisor_hand_gone(sandbox->supervisor);
    else if (message->type == HEEL_INIT_MOUNTS && !sandbox->ready)
        on_mounts(sandbox, message);
    else if (message->type == HEEL_INIT_PAUSED)
        linux_pause_on_answer(sandbox, message);
    else
        linux_process_on_message(sandbox, message);
}

/* Init is dying, or sends garbage: it is killed, and its death does the rest. */
static void on_control_end(struct heel_channel *channel)
{
    linux_sandbox_kill(heel_container_of(channel, struct linux_sandbox, control));
}

int linux_sandbox_open_control(struct linux_sandbox *sandbox, struct heel_error **err)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return heel_error_set_errno(err, errno, "cannot make a socket for a sandbox");
    if (heel_channel_open(&sandbox->control,
                          sandbox->base.backend ? linux_backend_of(sandbox)->loop : NULL, ends[0],
                          on_control_message, on_control_end, err)) {
        close(ends[1]);
        return -1;
    }
    sandbox->control_open = true;
    sandbox->init_end = ends[1];
    return 0;
}

void linux_sandbox_kill(struct linux_sandbox *sandbox)
{
    if (!sandbox->born || sandbox->dead || sandbox->killed)
        return;
    sandbox->killed = true;
    /* Init's death is everyone's in its namespace; a holder ends when it has killed everyone. */
    syscall(SYS_pidfd_send_signal, sandbox->pidfd,
            linux_backend_of(sandbox)->host.namespaces ? SIGKILL : SIGTERM, NULL, 0);
}

static void on_silence(uv_timer_t *timer)
{
    struct linux_sandbox *sandbox = heel_container_of(timer, struct linux_sandbox, watchdog);
    struct heel_error *error = NULL;

    heel_error_set(&error, HEEL_DEADLINE_EXCEEDED, NULL,
                   "the sandbox's init did not answer within %d s", SILENCE_MS / 1000);
    linux_sandbox_fail(sandbox, error);
}

void linux_sandbox_expect_answer(struct linux_sandbox *sandbox)
{
    sandbox->unanswered++;
    if (sandbox->unanswered == 1)
        uv_timer_start(&sandbox->watchdog, on_silence, SILENCE_MS, 0);
}

void linux_sandbox_answered(struct linux_sandbox *sandbox)
{
    if (sandbox->unanswered > 0)
        sandbox->unanswered--;
    if (sandbox->unanswered == 0)
        uv_timer_stop(&sandbox->watchdog);
    else
        uv_timer_start(&sandbox->watchdog, on_silence, SILENCE_MS, 0);
}

/* Everything in the pid namespace is dead once its init is. What it said before is still to be
 * heard. */
static void on_death(uv_poll_t *poll, int status, int events)
{
    struct linux_sandbox *sandbox = heel_container_of(poll, struct linux_sandbox, death);
    struct heel_error *error = NULL;

    (void)status;
    (void)events;
    uv_poll_stop(poll);
    if (sandbox->control_open)
        heel_channel_drain(&sandbox->control);
    sandbox->dead = true;
    sandbox->metering = !heel_meter_close(&sandbox->meter);
    heel_vantage_close(&sandbox->vantage);
    uv_timer_stop(&sandbox->watchdog);
    linux_pause_close(sandbox);
    linux_process_all_dead(sandbox);
    if (sandbox->created && !sandbox->ending) {
        sandbox->on_lost(&sandbox->base, sandbox->data);
        return;
    }
    if (!sandbox->created)
        heel_error_set(&error, HEEL_INTERNAL, NULL,
                       "the sandbox's init died while it was being set up");
    linux_sandbox_fail(sandbox, error);
}

void linux_sandbox_on_born(struct linux_sandbox *sandbox, int pidfd, bool wants_plan)
{
    struct heel_error *error = NULL;
    int result = uv_poll_init(linux_backend_of(sandbox)->loop, &sandbox->death, pidfd);

    sandbox->asked = false;
    if (result) {
        /* Nobody waits for this init. It ends by itself when its control socket is closed. */
        close(pidfd);
        heel_error_set_errno(&error, -result, "cannot watch a sandbox");
        linux_sandbox_fail(sandbox, error);
        return;
    }
    sandbox->born = true;
    sandbox->plan_wanted = wants_plan;
    sandbox->pidfd = pidfd;
    uv_poll_start(&sandbox->death, UV_READABLE, on_death);
    if (sandbox->ending)
        linux_sandbox_kill(sandbox);
    linux_sandbox_advance(sandbox);
}

void linux_sandbox_on_not_born(struct linux_sandbox *sandbox, struct heel_error *error)
{
    sandbox->asked = false;
    linux_sandbox_fail(sandbox, error);
}
