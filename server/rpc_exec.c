/* Exec: starts one command, whose standard streams are the stream's messages, in a sandbox that is
 * there or in one of its own. */
#include <string.h>

#include "heel/v1/sandbox.grpc-c.h"
#include "server/core.h"
#include "server/edge.h"
#include "server/process_ids.h"
#include "server/process_stream.h"
#include "server/service.h"
#include "server/spec.h"
#include "server/spec_check.h"

struct exec {
    struct process_stream base;
    struct server_sandbox *sandbox; /* borrowed; a private one only, until it is gone */
    Heel__V1__Command *request;     /* owned; of a private sandbox that is being made */
};

static struct exec *exec_of(struct process_stream *base)
{
    return heel_container_of(base, struct exec, base);
}

/* ---- messages ---- */

static struct process_request read_request(const ProtobufCMessage *message)
{
    const Heel__V1__ExecRequest *request = (const Heel__V1__ExecRequest *)message;

    switch (request->message_case) {
    case HEEL__V1__EXEC_REQUEST__MESSAGE_START:
        return (struct process_request){.kind = PROCESS_REQUEST_START};
    case HEEL__V1__EXEC_REQUEST__MESSAGE_STDIN:
        return (struct process_request){.kind = PROCESS_REQUEST_STDIN, .bytes = request->stdin};
    case HEEL__V1__EXEC_REQUEST__MESSAGE_CLOSE_STDIN:
        return (struct process_request){.kind = PROCESS_REQUEST_CLOSE_STDIN};
    case HEEL__V1__EXEC_REQUEST__MESSAGE_SIGNAL:
        return (struct process_request){.kind = PROCESS_REQUEST_SIGNAL, .signal = request->signal};
    case HEEL__V1__EXEC_REQUEST__MESSAGE_RESIZE:
        return (struct process_request){.kind = PROCESS_REQUEST_RESIZE, .resize = request->resize};
    default:
        return (struct process_request){.kind = PROCESS_REQUEST_UNKNOWN};
    }
}

static void write_response(struct grpcc_stream *stream, int which, void *payload,
                           grpcc_on_written *on_written)
{
    Heel__V1__ExecResponse response = HEEL__V1__EXEC_RESPONSE__INIT;

    response.message_case = (Heel__V1__ExecResponse__MessageCase)which;
    response.started = payload; /* or another of the union's members, all pointers to messages */
    grpcc_stream_write(stream, &response.base, on_written);
}

/* ---- starting ---- */

static int start_command(struct exec *exec, struct server_sandbox *sandbox,
                         const Heel__V1__Command *request, struct heel_error **err)
{
    struct server_process *process;

    if (request->process_id[0] && process_id_check_free(sandbox, request->process_id, err) < 0)
        return -1;
    process = process_start(sandbox, request, true, err);
    if (!process)
        return -1;
    exec->base.reader.required = true;
    return process_stream_attach(&exec->base, process, err);
}

/* An error is logged. */
static void on_sandbox_deleted(const struct sandbox_end *end, void *data)
{
    struct exec *exec = data;

    if (end->left)
        exec->base.acting_files = edge_new_acting_files(end->left);
    exec->sandbox = NULL;
    if (exec->base.over)
        process_stream_end(&exec->base);
}

static void on_private_sandbox(struct server_sandbox *sandbox, const struct heel_error *error,
                               void *data)
{
    heel_autoerror struct heel_error *start_error = NULL;
    struct exec *exec = data;

    if (error) {
        process_stream_fail(&exec->base, error);
        return;
    }
    if (!process_stream_is_cancelled(&exec->base) &&
        start_command(exec, sandbox, exec->request, &start_error) == 0) {
        exec->sandbox = sandbox;
        sandboxes_when_deleted(sandbox, on_sandbox_deleted, exec);
        return;
    }
    sandboxes_delete(sandbox, NULL, NULL);
    if (start_error)
        process_stream_fail(&exec->base, start_error);
    else
        process_stream_give_up(&exec->base);
}

static int check_private(const Heel__V1__ExecStart *start, struct heel_error **err)
{
    if (spec_check(start->spec, "start.spec", err) < 0)
        return -1;
    if (start->command &&
        start->command->disconnect_case == HEEL__V1__COMMAND__DISCONNECT_KILL_ON_DISCONNECT &&
        !start->command->kill_on_disconnect)
        return heel_error_set_field(err, "start.command.kill_on_disconnect",
                                    "a command whose sandbox is deleted with the stream can't "
                                    "outlive it; create the sandbox first");
    return 0;
}

static int check_start(const Heel__V1__ExecStart *start, struct heel_error **err)
{
    if (start->target_case == HEEL__V1__EXEC_START__TARGET__NOT_SET)
        return heel_error_set_field(err, "start.sandbox_id",
                                    "either start.sandbox_id or start.spec is needed");
    if (start->target_case == HEEL__V1__EXEC_START__TARGET_SPEC && check_private(start, err) < 0)
        return -1;
    if (spec_check_command(start->command, "start.command", err) < 0)
        return -1;
    if (start->command->stdin.len > 0)
        return heel_error_set_field(
            err, "start.command.stdin",
            "start.command.stdin is RunCommand's; send stdin on the stream");
    return 0;
}

static int start(struct process_stream *base, const ProtobufCMessage *message,
                 struct heel_error **err)
{
    const Heel__V1__ExecStart *start = ((const Heel__V1__ExecRequest *)message)->start;
    struct exec *exec = exec_of(base);
    struct server_sandbox *sandbox;

    if (check_start(start, err) < 0)
        return -1;
    if (start->target_case == HEEL__V1__EXEC_START__TARGET_SPEC) {
        exec->request = spec_copy_command(start->command);
        return sandboxes_create(base->caller, "", start->spec, true, on_private_sandbox, exec, err);
    }
    sandbox = sandboxes_find_ready(base->caller, start->sandbox_id, err);
    return sandbox ? start_command(exec, sandbox, start->command, err) : -1;
}

/* ---- the end ---- */

/* A private sandbox goes before the client is told that the command is over. */
static void over(struct process_stream *base)
{
    struct exec *exec = exec_of(base);

    if (exec->sandbox)
        sandboxes_delete(exec->sandbox, NULL, NULL); /* on_sandbox_deleted waits for it */
    else
        process_stream_end(base);
}

static void exec_free(struct process_stream *base)
{
    struct exec *exec = exec_of(base);

    heel__v1__command__free_unpacked(exec->request, NULL);
    free(exec);
}

static const struct process_stream_kind exec_kind = {
    .name = "Exec",
    .read = read_request,
    .write = write_response,
    .start = start,
    .over = over,
    .free = exec_free,
};

void rpc_exec(struct grpcc_stream *stream, void *service)
{
    struct exec *exec = heel_xcalloc(1, sizeof *exec);

    process_stream_open(&exec->base, &exec_kind, stream, service);
}
