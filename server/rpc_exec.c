/* Exec: one command whose standard streams are the stream's messages. Output is read from its pipe
 * only when the last message was taken; standard input is buffered up to a bound, and the client is
 * told what was taken. */
#include <string.h>

#include "heel/v1/sandbox.grpc-c.h"
#include "server/command.h"
#include "server/core.h"
#include "server/edge.h"
#include "server/process_ids.h"
#include "server/service.h"
#include "server/spec.h"

#define CHUNK_BYTES (256 * 1024)
#define MAX_STDIN_WAITING (1u << 20)
#define MAX_SIGNAL 64

struct exec {
    struct caller *caller;          /* borrowed */
    struct grpcc_stream *stream;    /* ours until finished */
    struct server_sandbox *sandbox; /* borrowed; a private one only, until it is gone */
    struct server_command *command; /* owned; NULL before it is started */
    Heel__V1__Command *request;     /* owned; of a private sandbox that is being made */
    char *process_id;               /* owned; "" unless the client chose it */
    char *sandbox_id;               /* owned */
    char *chunk;                    /* owned; CHUNK_BYTES */
    uint64_t stdin_told;            /* the last StdinTaken.offset sent */
    bool accepted;                  /* a valid start came */
    bool reading;                   /* a read is outstanding */
    bool writing;                   /* a write is outstanding */
    bool started;                   /* the command runs */
    bool started_told;
    bool err_first;               /* whose turn it is */
    bool sandbox_gone;            /* the private sandbox is deleted, or there is none */
    struct grpcc_status *refusal; /* owned; the client broke the protocol: what it is told once the
                                     command is dead */
    bool finished;
};

static void pump(struct exec *exec);
static void start_read(struct exec *exec);

static void exec_free(struct exec *exec)
{
    if (exec->command)
        command_free(exec->command);
    heel__v1__command__free_unpacked(exec->request, NULL);
    grpcc_status_free(exec->refusal);
    free(exec->process_id);
    free(exec->sandbox_id);
    free(exec->chunk);
    free(exec);
}

static void on_done(struct grpcc_stream *stream, void *data)
{
    (void)stream;
    exec_free(data);
}

static void finish(struct exec *exec, struct grpcc_status *status)
{
    exec->finished = true;
    grpcc_stream_finish(exec->stream, status, on_done);
}

/* Who finds a sandbox or a path wrong doesn't know that Exec has them inside of start. */
static struct grpcc_status *status_of(const struct heel_error *error)
{
    struct grpcc_status *status = service_status(error);

    for (size_t i = 0; i < status->field_count; i++) {
        char *field = status->fields[i].field;

        if (!heel_starts_with(field, "sandbox_id") && !heel_starts_with(field, "spec."))
            continue;
        status->fields[i].field = heel_format("start.%s", field);
        grpcc_status_add_metadata(status, "field", status->fields[i].field);
        free(field);
    }
    return status;
}

static void fail(struct exec *exec, const struct heel_error *error)
{
    finish(exec, status_of(error));
}

static bool is_cancelled(const struct exec *exec)
{
    return grpcc_call_is_cancelled(grpcc_stream_call(exec->stream));
}

/* ---- to the client ---- */

static void on_written(struct grpcc_stream *stream, bool ok, void *data)
{
    struct exec *exec = data;

    (void)stream;
    (void)ok; /* a broken stream is cancelled, and that kills the command */
    exec->writing = false;
    pump(exec);
}

static void write_response(struct exec *exec, const Heel__V1__ExecResponse *response)
{
    exec->writing = true;
    grpcc_stream_write(exec->stream, &response->base, on_written);
}

static void write_started(struct exec *exec)
{
    Heel__V1__ExecResponse response = HEEL__V1__EXEC_RESPONSE__INIT;
    Heel__V1__ProcessStarted started = HEEL__V1__PROCESS_STARTED__INIT;

    exec->started_told = true;
    started.process_id = exec->command->id;
    started.sandbox_id = exec->sandbox_id;
    response.message_case = HEEL__V1__EXEC_RESPONSE__MESSAGE_STARTED;
    response.started = &started;
    write_response(exec, &response);
}

static void write_stdin_taken(struct exec *exec)
{
    Heel__V1__ExecResponse response = HEEL__V1__EXEC_RESPONSE__INIT;
    Heel__V1__StdinTaken taken = HEEL__V1__STDIN_TAKEN__INIT;

    exec->stdin_told = taken.offset = exec->command->in.taken;
    response.message_case = HEEL__V1__EXEC_RESPONSE__MESSAGE_STDIN_TAKEN;
    response.stdin_taken = &taken;
    write_response(exec, &response);
}

/* Whether a chunk of this output was there and is being written. */
static bool write_chunk(struct exec *exec, struct output *output)
{
    Heel__V1__ExecResponse response = HEEL__V1__EXEC_RESPONSE__INIT;
    Heel__V1__OutputChunk chunk = HEEL__V1__OUTPUT_CHUNK__INIT;
    ssize_t got = output_read(output, exec->chunk, CHUNK_BYTES);

    if (got <= 0)
        return false;
    chunk.data = (ProtobufCBinaryData){.len = (size_t)got, .data = (uint8_t *)exec->chunk};
    chunk.offset = output->offset - (uint64_t)got;
    if (output == &exec->command->out) {
        response.message_case = HEEL__V1__EXEC_RESPONSE__MESSAGE_STDOUT;
        response.stdout = &chunk;
    } else {
        response.message_case = HEEL__V1__EXEC_RESPONSE__MESSAGE_STDERR;
        response.stderr = &chunk;
    }
    write_response(exec, &response);
    return true;
}

/* The two outputs take turns, so that neither starves the other. */
static bool write_output(struct exec *exec)
{
    struct output *first = exec->err_first ? &exec->command->err : &exec->command->out;
    struct output *second = exec->err_first ? &exec->command->out : &exec->command->err;

    exec->err_first = !exec->err_first;
    return write_chunk(exec, first) || write_chunk(exec, second);
}

static void on_exited_written(struct grpcc_stream *stream, bool ok, void *data)
{
    (void)stream;
    (void)ok;
    finish(data, NULL);
}

static void write_exited(struct exec *exec)
{
    const struct server_command *command = exec->command;
    Heel__V1__ExecResponse response = HEEL__V1__EXEC_RESPONSE__INIT;
    Heel__V1__ProcessExited exited = HEEL__V1__PROCESS_EXITED__INIT;

    exited.status = edge_new_exit_status(&command->exit, command->reason, command->program,
                                         command->limit_message);
    exited.usage = edge_new_usage(&command->exit);
    response.message_case = HEEL__V1__EXEC_RESPONSE__MESSAGE_EXITED;
    response.exited = &exited;
    exec->finished = true;
    grpcc_stream_write(exec->stream, &response.base, on_exited_written);
    heel__v1__exit_status__free_unpacked(exited.status, NULL);
    heel__v1__resource_usage__free_unpacked(exited.usage, NULL);
}

static void on_sandbox_deleted(const struct heel_error *error, const char *kept_dir, void *data)
{
    struct exec *exec = data;

    (void)error; /* logged */
    (void)kept_dir;
    exec->sandbox = NULL;
    exec->sandbox_gone = true;
    pump(exec);
}

static void delete_private_sandbox(struct exec *exec)
{
    if (exec->sandbox && exec->sandbox->state == SANDBOX_READY)
        sandboxes_delete(exec->sandbox, NULL, NULL); /* on_sandbox_deleted waits for it */
}

/* The command is dead and all of its output is sent, or nobody is there to take it. */
static void end(struct exec *exec)
{
    delete_private_sandbox(exec);
    if (!exec->sandbox_gone)
        return;
    if (exec->refusal)
        finish(exec, heel_steal(exec->refusal));
    else
        write_exited(exec);
}

/* Sends whatever is next, one message at a time. */
static void pump(struct exec *exec)
{
    struct server_command *command = exec->command;
    bool abandoned = exec->refusal || is_cancelled(exec);

    if (exec->writing || exec->finished || !command)
        return;
    if (exec->started && !exec->started_told && !abandoned)
        write_started(exec);
    else if (exec->started_told && !abandoned && write_output(exec))
        return;
    else if (command->exited)
        end(exec);
    else if (command->in.taken > exec->stdin_told && exec->started_told && !abandoned)
        write_stdin_taken(exec);
    else if (!abandoned) {
        output_wait(&command->out);
        output_wait(&command->err);
    }
}

/* ---- the command's events ---- */

static void on_started(struct server_command *command, void *data)
{
    struct exec *exec = data;

    (void)command;
    exec->started = true;
    pump(exec);
}

static void on_readable(struct server_command *command, void *data)
{
    (void)command;
    pump(data);
}

static void on_input(struct server_command *command, void *data)
{
    struct exec *exec = data;

    (void)command;
    start_read(exec);
    pump(exec);
}

static void remember_id(const struct exec *exec, struct server_sandbox *sandbox)
{
    struct heel_buffer nothing = {0}, none = {0};

    if (exec->process_id[0])
        answers_keep(&sandbox->answers, exec->process_id, &nothing, &none);
}

static void on_exited(struct server_command *command, void *data)
{
    (void)command;
    pump(data);
}

static const struct command_events events = {
    .on_started = on_started,
    .on_readable = on_readable,
    .on_input = on_input,
    .on_exited = on_exited,
};

/* ---- starting ---- */

static int start_command(struct exec *exec, struct server_sandbox *sandbox,
                         const Heel__V1__Command *request, struct heel_error **err)
{
    if (request->process_id[0] && process_id_check_free(sandbox, request->process_id, err) < 0)
        return -1;
    exec->sandbox_id = heel_xstrdup(sandbox->id);
    exec->process_id = heel_xstrdup(request->process_id);
    exec->command = command_start(sandbox, request, true, &events, exec, err);
    if (!exec->command)
        return -1;
    remember_id(exec, sandbox);
    start_read(exec);
    return 0;
}

static void on_failed_sandbox_deleted(const struct heel_error *error, const char *kept_dir,
                                      void *data)
{
    (void)error;
    (void)kept_dir;
    (void)data;
}

static void on_private_sandbox(struct server_sandbox *sandbox, const struct heel_error *error,
                               void *data)
{
    heel_autoerror struct heel_error *start_error = NULL;
    struct exec *exec = data;

    if (error) {
        fail(exec, error);
        return;
    }
    if (!is_cancelled(exec) && start_command(exec, sandbox, exec->request, &start_error) == 0) {
        exec->sandbox = sandbox;
        sandboxes_when_deleted(sandbox, on_sandbox_deleted, exec);
        return;
    }
    sandboxes_delete(sandbox, on_failed_sandbox_deleted, NULL);
    if (start_error)
        fail(exec, start_error);
    else
        finish(exec, grpcc_status_new(HEEL_CANCELLED, "the caller gave up"));
}

static int check_start(const Heel__V1__ExecStart *start, struct heel_error **err)
{
    if (start->target_case == HEEL__V1__EXEC_START__TARGET__NOT_SET)
        return heel_error_set_field(err, "start.sandbox_id",
                                    "either start.sandbox_id or start.spec is needed");
    if (start->target_case == HEEL__V1__EXEC_START__TARGET_SPEC &&
        spec_check(start->spec, "start.spec", err) < 0)
        return -1;
    if (spec_check_command(start->command, "start.command", err) < 0)
        return -1;
    if (start->command->stdin.len > 0)
        return heel_error_set_field(
            err, "start.command.stdin",
            "start.command.stdin is RunCommand's; send stdin on the stream");
    return 0;
}

static int accept_start(struct exec *exec, const Heel__V1__ExecStart *start,
                        struct heel_error **err)
{
    struct server_sandbox *sandbox;

    if (check_start(start, err) < 0)
        return -1;
    exec->accepted = true;
    if (start->target_case == HEEL__V1__EXEC_START__TARGET_SPEC) {
        exec->request = spec_copy_command(start->command);
        return sandboxes_create(exec->caller, "", start->spec, true, on_private_sandbox, exec, err);
    }
    exec->sandbox_gone = true; /* none of ours */
    sandbox = sandboxes_find_ready(exec->caller, start->sandbox_id, err);
    return sandbox ? start_command(exec, sandbox, start->command, err) : -1;
}

/* ---- from the client ---- */

static int take_signal(struct exec *exec, const Heel__V1__SendSignal *request,
                       struct heel_error **err)
{
    if (request->signal < 1 || request->signal > MAX_SIGNAL)
        return heel_error_set_field(err, "signal.signal", "signal.signal must be 1 to %d",
                                    MAX_SIGNAL);
    command_signal(exec->command, request->signal);
    return 0;
}

static int take_request(struct exec *exec, const Heel__V1__ExecRequest *request,
                        struct heel_error **err)
{
    bool is_start = request->message_case == HEEL__V1__EXEC_REQUEST__MESSAGE_START;

    if (!exec->accepted && !is_start)
        return heel_error_set_field(err, "start", "the first message of Exec must be start");
    if (exec->accepted && is_start)
        return heel_error_set_field(err, "start", "only the first message of Exec can be start");
    switch (request->message_case) {
    case HEEL__V1__EXEC_REQUEST__MESSAGE_START:
        return accept_start(exec, request->start, err);
    case HEEL__V1__EXEC_REQUEST__MESSAGE_STDIN:
        input_write(&exec->command->in, request->stdin.data, request->stdin.len);
        return 0;
    case HEEL__V1__EXEC_REQUEST__MESSAGE_CLOSE_STDIN:
        input_finish(&exec->command->in);
        return 0;
    case HEEL__V1__EXEC_REQUEST__MESSAGE_SIGNAL:
        return take_signal(exec, request->signal, err);
    default:
        return heel_error_set_field(err, "message",
                                    "this server doesn't know the message that was sent");
    }
}

/* A client that breaks the protocol loses its command. */
static void refuse(struct exec *exec, const struct heel_error *error)
{
    if (!exec->command) {
        fail(exec, error);
        return;
    }
    exec->refusal = status_of(error);
    command_kill(exec->command, HEEL__V1__EXIT_REASON__EXIT_REASON_DISCONNECTED);
    pump(exec);
}

static void on_half_close(struct exec *exec)
{
    heel_autoerror struct heel_error *error = NULL;

    if (exec->accepted) /* standard input stays open */
        return;
    heel_error_set_field(&error, "start", "the first message of Exec must be start");
    fail(exec, error);
}

static void on_message(struct grpcc_stream *stream, const ProtobufCMessage *message, void *data)
{
    heel_autoerror struct heel_error *error = NULL;
    struct exec *exec = data;

    (void)stream;
    exec->reading = false;
    if (exec->finished)
        return;
    if (!message) {
        on_half_close(exec);
        return;
    }
    if (exec->refusal || (exec->command && exec->command->exited))
        return;
    if (take_request(exec, (const Heel__V1__ExecRequest *)message, &error) < 0) {
        refuse(exec, error);
        return;
    }
    start_read(exec);
    pump(exec);
}

/* Until a private sandbox is made there is no command to take a message, and none is read. */
static void start_read(struct exec *exec)
{
    if (exec->reading || exec->finished || exec->refusal || !exec->command ||
        input_waiting(&exec->command->in) > MAX_STDIN_WAITING)
        return;
    exec->reading = true;
    grpcc_stream_read(exec->stream, on_message);
}

static void on_cancel(struct grpcc_stream *stream, void *data)
{
    struct exec *exec = data;

    (void)stream;
    if (!exec->command)
        return;
    command_kill(exec->command, HEEL__V1__EXIT_REASON__EXIT_REASON_DISCONNECTED);
    pump(exec);
}

void rpc_exec(struct grpcc_stream *stream, void *service)
{
    struct exec *exec = heel_xcalloc(1, sizeof *exec);

    service_begin(grpcc_stream_call(stream), service, "Exec");
    exec->caller = service;
    exec->stream = stream;
    exec->chunk = heel_xmalloc(CHUNK_BYTES);
    exec->reading = true;
    grpcc_stream_set_data(stream, exec);
    grpcc_stream_on_cancel(stream, on_cancel);
    grpcc_stream_read(stream, on_message);
}
