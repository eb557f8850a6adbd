#include "proto/runtime/internal.h"

/* A streaming call on the client, of any of the three kinds. */
struct client_stream {
    struct grpcc_stream stream;
    struct grpcc_call_options options; /* only on_metadata is used */

    struct grpcc_op headers_op; /* receives the server's headers; gRPC holds the status back until
                                   somebody does */

    struct grpcc_op half_close_op;
    bool half_close_wanted;
    bool half_close_started;

    struct grpcc_op status_op;
    struct grpcc_client_status received_status;
    struct grpcc_status
        *local_status; /* owned; what this side says went wrong, instead of the server's status */
    grpcc_on_status *on_status;
};

static struct client_stream *client_stream(struct grpcc_stream *stream)
{
    return heel_container_of(stream, struct client_stream, stream);
}

/* ---- headers ---- */

static void headers_done(struct grpcc_op *op, bool ok)
{
    struct client_stream *client = heel_container_of(op, struct client_stream, headers_op);

    if (ok)
        grpcc_incoming_report(&client->stream.call.received, &client->options, false);
    grpcc_stream_release(&client->stream);
}

static void start_headers(struct client_stream *client)
{
    grpc_op receive = {.op = GRPC_OP_RECV_INITIAL_METADATA};

    receive.data.recv_initial_metadata.recv_initial_metadata = &client->stream.call.received.array;
    client->stream.outstanding++;
    grpcc_call_start_batch(&client->stream.call, &receive, 1, &client->headers_op);
}

/* ---- half-close ---- */

static void half_close_done(struct grpcc_op *op, bool ok)
{
    (void)ok;
    grpcc_stream_release(&heel_container_of(op, struct client_stream, half_close_op)->stream);
}

static void start_half_close(struct client_stream *client)
{
    struct grpcc_stream *stream = &client->stream;
    grpc_op ops[2];
    size_t count = 0;

    if (!client->half_close_wanted || client->half_close_started || stream->sending)
        return;
    client->half_close_started = true;
    if (!stream->call.headers_sent)
        grpcc_call_send_headers(&stream->call, &ops[count++]);
    ops[count++] = (grpc_op){.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
    stream->outstanding++;
    grpcc_call_start_batch(&stream->call, ops, count, &client->half_close_op);
}

void grpcc_stream_half_close(struct grpcc_stream *stream)
{
    struct client_stream *client = client_stream(stream);

    client->half_close_wanted = true;
    start_half_close(client);
}

/* ---- the end ---- */

static void status_done(struct grpcc_op *op, bool ok)
{
    (void)ok;
    grpcc_stream_release(&heel_container_of(op, struct client_stream, status_op)->stream);
}

static void start_status(struct client_stream *client)
{
    grpc_op receive;

    grpcc_client_status_receive(&client->received_status, &client->stream.call, &receive);
    client->stream.outstanding++;
    grpcc_call_start_batch(&client->stream.call, &receive, 1, &client->status_op);
}

void grpcc_stream_cancel(struct grpcc_stream *stream)
{
    if (stream->call.core)
        grpc_call_cancel(stream->call.core, NULL);
}

static void over(struct grpcc_stream *stream)
{
    struct client_stream *client = client_stream(stream);
    grpcc_autostatus struct grpcc_status *status = heel_steal(client->local_status);

    if (!status)
        status = grpcc_client_status_take(&client->received_status, &stream->call);
    grpcc_incoming_report(&stream->call.received_trailers, &client->options, true);
    if (client->on_status)
        client->on_status(stream, status, stream->data);
    grpcc_client_status_clear(&client->received_status);
    grpcc_stream_clear(stream);
    free(client);
}

/* ---- what stream.c asks ---- */

/* The call goes out with whatever comes first, so that its headers and the first request leave in
 * one write. */
static size_t add_first(struct grpcc_stream *stream, bool reading, grpc_op *ops)
{
    (void)reading;
    if (stream->call.headers_sent)
        return 0;
    grpcc_call_send_headers(&stream->call, ops);
    return 1;
}

static void reject(struct grpcc_stream *stream, struct grpcc_status *status)
{
    struct client_stream *client = client_stream(stream);

    status->code = GRPC_STATUS_INTERNAL;
    grpcc_status_free(client->local_status);
    client->local_status = status;
    grpcc_stream_cancel(stream);
}

static void read_ended(struct grpcc_stream *stream)
{
    (void)stream;
}

static void write_over(struct grpcc_stream *stream)
{
    start_half_close(client_stream(stream));
}

static const struct grpcc_stream_side client_side = {add_first, reject, read_ended, write_over,
                                                     over};

/* ---- the beginning ---- */

struct grpcc_stream *grpcc_stream_open(struct grpcc_channel *channel, struct grpcc_queue *queue,
                                       const struct grpcc_method *method,
                                       const struct grpcc_call_options *options,
                                       grpcc_on_status *on_status, void *data)
{
    struct client_stream *client = heel_xcalloc(1, sizeof(*client));
    struct grpcc_stream *stream = &client->stream;

    grpcc_call_init(&stream->call, queue, method);
    grpcc_stream_init(stream, &client_side, method->response, &grpcc_default_wire_limits);
    grpcc_client_status_init(&client->received_status);
    stream->data = data;
    stream->call.deadline = grpcc_deadline(options);
    client->on_status = on_status;
    client->half_close_op.done = half_close_done;
    client->status_op.done = status_done;
    client->headers_op.done = headers_done;
    if (options)
        client->options = *options;
    stream->call.core =
        grpcc_channel_create_call(channel, grpcc_queue_core(queue), method, stream->call.deadline);
    start_headers(client);
    start_status(client);
    if (grpcc_call_add_option_headers(&stream->call, options))
        reject(stream, grpcc_status_new(GRPC_STATUS_INTERNAL,
                                        "the call can't be started: gRPC refuses its metadata"));
    return stream;
}

struct grpcc_stream *grpcc_stream_open_with(struct grpcc_channel *channel,
                                            struct grpcc_queue *queue,
                                            const struct grpcc_method *method,
                                            const ProtobufCMessage *request,
                                            const struct grpcc_call_options *options,
                                            grpcc_on_status *on_status, void *data)
{
    struct grpcc_stream *stream =
        grpcc_stream_open(channel, queue, method, options, on_status, data);

    grpcc_stream_write(stream, request, NULL);
    grpcc_stream_half_close(stream);
    return stream;
}
