/* Attach: a stream to a command that Exec or StartProcess started. */
#include "heel/v1/sandbox.grpc-c.h"
#include "server/callers.h"
#include "server/process_stream.h"
#include "server/service.h"
#include "server/spec_check.h"

static struct process_request read_request(const ProtobufCMessage *message)
{
    const Heel__V1__AttachRequest *request = (const Heel__V1__AttachRequest *)message;

    switch (request->message_case) {
    case HEEL__V1__ATTACH_REQUEST__MESSAGE_START:
        return (struct process_request){.kind = PROCESS_REQUEST_START};
    case HEEL__V1__ATTACH_REQUEST__MESSAGE_STDIN:
        return (struct process_request){.kind = PROCESS_REQUEST_STDIN, .bytes = request->stdin};
    case HEEL__V1__ATTACH_REQUEST__MESSAGE_CLOSE_STDIN:
        return (struct process_request){.kind = PROCESS_REQUEST_CLOSE_STDIN};
    case HEEL__V1__ATTACH_REQUEST__MESSAGE_SIGNAL:
        return (struct process_request){.kind = PROCESS_REQUEST_SIGNAL, .signal = request->signal};
    case HEEL__V1__ATTACH_REQUEST__MESSAGE_RESIZE:
        return (struct process_request){.kind = PROCESS_REQUEST_RESIZE, .resize = request->resize};
    default:
        return (struct process_request){.kind = PROCESS_REQUEST_UNKNOWN};
    }
}

static void write_response(struct grpcc_stream *stream, int which, void *payload,
                           grpcc_on_written *on_written)
{
    Heel__V1__AttachResponse response = HEEL__V1__ATTACH_RESPONSE__INIT;

    response.message_case = (Heel__V1__AttachResponse__MessageCase)which;
    response.started = payload; /* or another of the union's members, all pointers to messages */
    grpcc_stream_write(stream, &response.base, on_written);
}

static int refuse_captured(const char *id, struct heel_error **err)
{
    heel_error_set(err, HEEL_FAILED_PRECONDITION, "OUTPUT_CAPTURED",
                   "the output of process %s goes into RunCommand's answer", id);
    if (err)
        heel_error_add_metadata(*err, "process_id", "%s", id);
    return -1;
}

static void set_offsets(struct process_reader *reader, const Heel__V1__AttachStart *start,
                        const struct server_process *process)
{
    reader->required = start->required;
    reader->offsets[PROCESS_STDOUT] = start->stdout_offset;
    reader->offsets[PROCESS_STDERR] = start->stderr_offset;
    for (int i = 0; start->from_end && i < PROCESS_CHANNELS; i++)
        reader->offsets[i] = process->outputs[i].ring.end;
}

static int start(struct process_stream *self, const ProtobufCMessage *message,
                 struct heel_error **err)
{
    const Heel__V1__AttachStart *start = ((const Heel__V1__AttachRequest *)message)->start;
    struct server_sandbox *sandbox = sandboxes_find_ready(self->caller, start->sandbox_id, err);
    struct process_found found;

    if (!sandbox || spec_check_id(start->process_id, "process_id", err) < 0 ||
        !process_find(sandbox, start->process_id, &found, err))
        return -1;
    if (!found.process)
        return refuse_captured(start->process_id, err);
    set_offsets(&self->reader, start, found.process);
    return process_stream_attach(self, found.process, err);
}

static void free_stream(struct process_stream *self)
{
    free(self);
}

static const struct process_stream_kind attach = {
    .name = "Attach",
    .read = read_request,
    .write = write_response,
    .start = start,
    .over = process_stream_end,
    .free = free_stream,
};

void rpc_attach(struct grpcc_stream *stream, void *service)
{
    process_stream_open(heel_xcalloc(1, sizeof(struct process_stream)), &attach, stream, service);
}
