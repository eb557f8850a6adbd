#include "server/command.h"

#include <signal.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"
#include "server/core.h"
#include "server/environment.h"
#include "server/log.h"
#include "server/spec.h"
#include "server/spec_limits.h"

#define RETRY_MS 100

static int admit(const struct server_sandbox *sandbox, struct heel_error **err)
{
    const struct server_options *options = &sandbox->core->options;
    bool server_full = sandbox->core->processes >= options->max_processes;

    if (sandbox->core->draining)
        return server_refuse_draining(err);
    if (!server_full && sandbox->owner->processes < options->max_processes_per_caller)
        return 0;
    heel_error_set(err, HEEL_RESOURCE_EXHAUSTED, "LIMIT_REACHED",
                   "the limit of %u running commands%s is reached; try again later",
                   server_full ? options->max_processes : options->max_processes_per_caller,
                   server_full ? "" : " of one caller");
    if (err) {
        heel_error_add_metadata(*err, "limit",
                                server_full ? "processes" : "processes of one caller");
        heel_error_add_metadata(*err, "maximum", "%u",
                                server_full ? options->max_processes
                                            : options->max_processes_per_caller);
        (*err)->retry_after_ms = RETRY_MS;
    }
    return -1;
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
    command->exit = *exit;
    command->exited = true;
    command->process = NULL;
    if (exit->limit != HEEL_LIMIT_NONE)
        command->limit_message = spec_limits_message(exit->limit, command->sandbox->spec->limits);
    uv_timer_stop(&command->timer);
    output_command_over(&command->out);
    output_command_over(&command->err);
    unlink_from_sandbox(command);
    command->events->on_exited(command, command->data);
}

static void on_process_started(struct heel_process *process, void *data)
{
    struct server_command *command = data;

    (void)process;
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

static char *random_process_id(void)
{
    uint64_t bits;

    if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        abort();
    return heel_format("p-%016llx", (unsigned long long)bits);
}

static int start_process(struct server_command *command, struct server_sandbox *sandbox,
                         const Heel__V1__Command *request, bool want_stdin,
                         struct heel_stdio *stdio, struct heel_error **err)
{
    char **environment = environment_of_command(sandbox->spec, request);
    heel_autofree const char **argv = heel_xcalloc(request->n_argv + 1, sizeof *argv);
    struct heel_command backend_command = {
        .argv = argv,
        .environment = (const char *const *)environment,
        .working_dir = request->working_dir[0] ? request->working_dir : NULL,
    };
    int result;

    for (size_t i = 0; i < request->n_argv; i++)
        argv[i] = request->argv[i];
    result = heel_process_start(sandbox->handle, &backend_command, want_stdin, &process_events,
                                command, &command->process, stdio, err);
    environment_free(environment);
    return result;
}

struct server_command *command_start(struct server_sandbox *sandbox,
                                     const Heel__V1__Command *request, bool want_stdin,
                                     const struct command_events *events, void *data,
                                     struct heel_error **err)
{
    uv_loop_t *loop = sandbox->core->loop;
    struct server_command *command;
    struct heel_stdio stdio;

    if (admit(sandbox, err) < 0)
        return NULL;
    command = heel_xcalloc(1, sizeof *command);
    if (start_process(command, sandbox, request, want_stdin, &stdio, err) < 0) {
        free(command);
        return NULL;
    }
    command->id = request->process_id[0] ? heel_xstrdup(request->process_id) : random_process_id();
    command->program = heel_xstrdup(request->argv[0]);
    command->events = events;
    command->data = data;
    output_open(&command->out, loop, stdio.out, on_output, command);
    output_open(&command->err, loop, stdio.err, on_output, command);
    input_open(&command->in, loop, stdio.in, on_input, command);
    uv_timer_init(loop, &command->timer);
    command->timer.data = command;
    link_to_sandbox(command, sandbox);
    start_timeout(command, request);
    return command;
}

void command_kill(struct server_command *command, Heel__V1__ExitReason reason)
{
    if (command->reason == HEEL__V1__EXIT_REASON__EXIT_REASON_UNSPECIFIED && !command->exited)
        command->reason = reason;
    if (command->process)
        heel_process_kill_tree(command->process);
}

void command_signal(struct server_command *command, int signal_number)
{
    if (command->process)
        heel_process_signal(command->process, signal_number);
}

/* ---- freeing: when the last of its libuv handles is closed ---- */

static void free_when_closed(struct server_command *command)
{
    if (--command->open_handles > 0)
        return;
    free(command->id);
    free(command->program);
    free(command->limit_message);
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
    for (struct server_command *command = sandbox->commands; command; command = command->next) {
        if (command->reason == HEEL__V1__EXIT_REASON__EXIT_REASON_UNSPECIFIED)
            command->reason = reason;
    }
}

void commands_lost(struct server_sandbox *sandbox)
{
    static const struct heel_exit killed = {.signalled = true, .code = SIGKILL};

    while (sandbox->commands)
        set_over(sandbox->commands, &killed);
}
