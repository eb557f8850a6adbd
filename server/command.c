#include "server/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/text.h"
#include "server/core.h"
#include "server/environment.h"
#include "server/spec.h"
#include "server/spec_limits.h"

static void mark(struct server_command *command, Heel__V1__ExitReason reason)
{
    if (command->facts->reason == HEEL__V1__EXIT_REASON__EXIT_REASON_UNSPECIFIED &&
        !command->facts->exited)
        command->facts->reason = reason;
}

static int refuse_paused(const struct server_sandbox *sandbox, struct heel_error **err)
{
    heel_error_set(err, HEEL_FAILED_PRECONDITION, "SANDBOX_PAUSED",
                   "sandbox %s is paused; resume it first", sandbox->id);
    if (err)
        heel_error_add_metadata(*err, "sandbox_id", "%s", sandbox->id);
    return -1;
}

static int admit(const struct server_sandbox *sandbox, struct heel_error **err)
{
    const struct server_core *core = sandbox->core;
    const struct server_quota quota = {
        .kind = "processes",
        .of_all = core->processes,
        .max_of_all = core->options.max_processes,
        .of_caller = sandbox->owner->processes,
        .max_of_caller = core->options.max_processes_per_caller,
    };

    if (core->draining)
        return server_refuse_draining(err);
    if (sandbox->pauses.paused)
        return refuse_paused(sandbox, err);
    return server_admit(&quota, err);
}

/* ---- coming and going ---- */

static void link_to_sandbox(struct server_command *command, struct server_sandbox *sandbox)
{
    command->sandbox = sandbox;
    command->next = sandbox->commands;
    if (command->next)
        command->next->previous = command;
    sandbox->commands = command;
    sandbox->running++;
    sandbox->owner->processes++;
    sandbox->core->processes++;
    sandboxes_update_expiry(sandbox);
}

static void unlink_from_sandbox(struct server_command *command)
{
    struct server_sandbox *sandbox = command->sandbox;

    if (command->previous)
        command->previous->next = command->next;
    else
        sandbox->commands = command->next;
    if (command->next)
        command->next->previous = command->previous;
    command->sandbox = NULL;
    sandbox->running--;
    sandbox->owner->processes--;
    sandbox->core->processes--;
    sandbox->idle_since = uv_now(sandbox->core->loop);
    sandboxes_update_expiry(sandbox);
    server_note_activity(sandbox->core);
}

static void set_over(struct server_command *command, const struct heel_exit *exit)
{
    static const struct heel_exit no_descriptor = {.start_failure = HEEL_START_NO_DESCRIPTOR,
                                                   .start_errno = EMFILE};

    command_facts_end(command->facts, command->lost_terminal ? &no_descriptor : exit);
    command->process = NULL;
    if (exit->limit != HEEL_LIMIT_NONE)
        command->facts->limit_message =
            spec_limits_message(exit->limit, command->sandbox->spec->limits);
    uv_timer_stop(&command->timer);
    output_command_over(&command->out);
    output_command_over(&command->err);
    if (exit->limit != HEEL_LIMIT_NONE)
        events_add_limit(command->sandbox, command->facts);
    events_add_process_exited(command->sandbox, command->facts);
    unlink_from_sandbox(command);
    command->events->on_exited(command, command->data);
}

/* Both directions have a descriptor of their own, since each is watched and closed by itself.
 * False: there was none left. */
static bool open_terminal(struct server_command *command, int terminal)
{
    int copy = fcntl(terminal, F_DUPFD_CLOEXEC, 0);

    if (copy < 0) {
        close(terminal);
        return false;
    }
    output_open_terminal(&command->out, terminal);
    input_open_terminal(&command->in, copy);
    return true;
}

static void on_process_started(struct heel_process *process, int terminal, void *data)
{
    struct server_command *command = data;

    if (terminal >= 0 && !open_terminal(command, terminal)) {
        command->lost_terminal = true;
        heel_process_kill_tree(process);
        return;
    }
    events_add_process_started(command->sandbox, command->facts);
    command->events->on_started(command, command->data);
}

static void on_process_exit(struct heel_process *process, const struct heel_exit *exit, void *data)
{
    struct server_command *command = data;

    (void)process;
    set_over(command, exit);
}

static const struct heel_process_events process_events = {
    .on_started = on_process_started,
    .on_exit = on_process_exit,
};

const char *command_working_dir(const struct command_facts *facts,
                                const struct server_sandbox *sandbox)
{
    return facts->working_dir ? facts->working_dir
                              : heel_sandbox_paths(sandbox->handle)->working_dir;
}

void commands_take_denial(struct server_sandbox *sandbox, const struct heel_denial *denial)
{
    const struct command_facts *facts = NULL;

    for (struct server_command *command = sandbox->commands; command && denial->process;
         command = command->next) {
        if (command->process != denial->process)
            continue;
        denials_add(&command->facts->denials, denial);
        facts = command->facts;
    }
    events_add_denial(sandbox, facts, denial);
}

static void on_output(void *data)
{
    struct server_command *command = data;

    command->events->on_readable(command, command->data);
}

static void on_input(void *data)
{
    struct server_command *command = data;

    if (command->events->on_input)
        command->events->on_input(command, command->data);
}

static void on_timeout(uv_timer_t *timer)
{
    command_kill(timer->data, HEEL__V1__EXIT_REASON__EXIT_REASON_TIMEOUT);
}

static void start_timeout(struct server_command *command, const Heel__V1__Command *request)
{
    int64_t timeout = spec_duration_ms(request->timeout);

    if (timeout == 0)
        timeout = spec_duration_ms(command->sandbox->spec->limits->wall_time);
    if (timeout > 0)
        uv_timer_start(&command->timer, on_timeout, (uint64_t)timeout, 0);
}

static char *new_process_id(const Heel__V1__Command *request)
{
    uint64_t bits;

    if (request->process_id[0])
        return heel_xstrdup(request->process_id);
    if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        abort();
    return heel_format("p-%016llx", (unsigned long long)bits);
}

static int start_process(struct server_command *command, struct server_sandbox *sandbox,
                         const Heel__V1__Command *request, bool want_stdin,
                         struct heel_stdio *stdio, struct heel_error **err)
{
    char **environment = environment_of_command(
        sandbox->spec, request, request->terminal ? command->facts->terminal_type : NULL);
    heel_autofree const char **argv = heel_xcalloc(request->n_argv + 1, sizeof *argv);
    struct heel_command backend_command = {
        .argv = argv,
        .environment = (const char *const *)environment,
        .working_dir = request->working_dir[0] ? request->working_dir : NULL,
        .terminal = request->terminal ? &command->facts->size : NULL,
    };
    int result;

    for (size_t i = 0; i < request->n_argv; i++)
        argv[i] = request->argv[i];
    result = heel_process_start(sandbox->handle, &backend_command, want_stdin, &process_events,
                                command, &command->process, stdio, err);
    environment_free(environment);
    return result;
}

/* A terminal comes later, with the news that the command was started. */
static void open_streams(struct server_command *command, uv_loop_t *loop,
                         const struct heel_stdio *stdio)
{
    if (command_facts_has_terminal(command->facts)) {
        output_open_later(&command->out, loop, on_output, command);
        input_open_later(&command->in, loop, on_input, command);
    } else {
        output_open(&command->out, loop, stdio->out, on_output, command);
        input_open(&command->in, loop, stdio->in, on_input, command);
    }
    output_open(&command->err, loop, stdio->err, on_output, command);
}

struct server_command *command_start(struct server_sandbox *sandbox,
                                     const Heel__V1__Command *request, bool want_stdin,
                                     const struct command_events *events, void *data,
                                     struct heel_error **err)
{
    uv_loop_t *loop = sandbox->core->loop;
    struct server_command *command;
    struct heel_stdio stdio;
    heel_autofree char *id = NULL;

    if (admit(sandbox, err) < 0)
        return NULL;
    id = new_process_id(request);
    command = heel_xcalloc(1, sizeof *command);
    command->facts = command_facts_new(request, id, sandbox->id, ++sandbox->last_command);
    if (start_process(command, sandbox, request, want_stdin, &stdio, err) < 0) {
        if (err &&
            (*err)->code == HEEL_ABORTED) /* the backend doesn't know the id that the client gave */
            heel_error_add_metadata(*err, "sandbox_id", "%s", sandbox->id);
        command_facts_free(command->facts);
        free(command);
        return NULL;
    }
    command->events = events;
    command->data = data;
    open_streams(command, loop, &stdio);
    uv_timer_init(loop, &command->timer);
    command->timer.data = command;
    link_to_sandbox(command, sandbox);
    start_timeout(command, request);
    return command;
}

void command_kill(struct server_command *command, Heel__V1__ExitReason reason)
{
    mark(command, reason);
    if (command->process)
        heel_process_kill_tree(command->process);
}

void command_signal(struct server_command *command, int signal_number, enum heel_signal_scope scope)
{
    if (command->process)
        heel_process_signal(command->process, signal_number, scope);
}

int command_resize(struct server_command *command, struct heel_terminal_size size,
                   struct heel_error **err)
{
    struct winsize window = {.ws_row = size.rows, .ws_col = size.columns};

    if (!command_facts_has_terminal(command->facts)) {
        heel_error_set(err, HEEL_FAILED_PRECONDITION, "NO_TERMINAL",
                       "the process %s has no terminal", command->facts->id);
        if (err)
            heel_error_add_metadata(*err, "process_id", "%s", command->facts->id);
        return -1;
    }
    command->facts->size = size;
    if (command->out.fd >= 0)
        ioctl(command->out.fd, TIOCSWINSZ, &window);
    return 0;
}

/* ---- freeing: when the last of its libuv handles is closed ---- */

static void free_when_closed(struct server_command *command)
{
    if (--command->open_handles > 0)
        return;
    if (!command->record)
        command_facts_free(command->facts);
    free(command);
}

static void on_output_closed(uv_handle_t *handle)
{
    struct output *output = handle->data;

    free_when_closed(output->data);
}

static void on_input_closed(uv_handle_t *handle)
{
    struct input *input = handle->data;

    free_when_closed(input->data);
}

static void on_timer_closed(uv_handle_t *handle)
{
    free_when_closed(handle->data);
}

void command_free(struct server_command *command)
{
    command->open_handles = 1; /* the timer */
    command->open_handles += output_close(&command->out, on_output_closed);
    command->open_handles += output_close(&command->err, on_output_closed);
    command->open_handles += input_close(&command->in, on_input_closed);
    uv_close((uv_handle_t *)&command->timer, on_timer_closed);
}

void commands_mark(struct server_sandbox *sandbox, Heel__V1__ExitReason reason)
{
    for (struct server_command *command = sandbox->commands; command; command = command->next)
        mark(command, reason);
}

void commands_lost(struct server_sandbox *sandbox)
{
    static const struct heel_exit killed = {.signalled = true, .code = SIGKILL};

    while (sandbox->commands)
        set_over(sandbox->commands, &killed);
}
