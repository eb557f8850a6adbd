#include "proto/runtime/internal.h"

/* A streaming call on the server, of any of the three kinds. */
struct server_stream {
    struct grpcc_stream stream;
    struct grpcc_server *server;     /* held */
    const struct grpcc_route *route; /* borrowed from the server */

    /* Server streaming: the one request comes before the handler hears of the call. Other kinds:
     * just a way to the owner. */
    struct grpcc_op begin_op;
    grpc_byte_buffer *request_bytes;
    ProtobufCMessage *request; /* owned */

    struct grpcc_op close_op;
    int closed_early; /* receive slot of close_op */
    void (*on_cancel)(struct grpcc_stream *stream, void *data);
    struct grpcc_op cancel_op; /* posted where on_cancel comes too late */
    bool cancel_seen;
    bool cancel_posted;

    /* The end. The runtime ends a stream by itself where a message is bad; the handler's own finish
     * then has nothing to send. */
    struct grpcc_op finish_op;
    struct grpcc_op handler_op;
    struct grpcc_status *status; /* owned; NULL is OK */
    grpc_byte_buffer *reply;     /* owned; client streaming */
    bool finish_wanted;
    bool finish_started;
    bool handler_finished;
    grpcc_on_done *on_done;
};

static struct server_stream *server_stream(struct grpcc_stream *stream)
{
    return heel_container_of(stream, struct server_stream, stream);
}

/* ---- the end ---- */

static void finish_done(struct grpcc_op *op, bool ok)
{
    (void)ok;
    grpcc_stream_release(&heel_container_of(op, struct server_stream, finish_op)->stream);
}

static void handler_done(struct grpcc_op *op, bool ok)
{
    (void)ok;
    grpcc_stream_release(&heel_container_of(op, struct server_stream, handler_op)->stream);
}

/* A write that is outstanding goes first: write_over() comes back here. */
static void start_finish(struct server_stream *server)
{
    struct grpcc_stream *stream = &server->stream;
    grpc_op ops[3];
    size_t count = 0;
    grpc_slice text;

    if (!server->finish_wanted || server->finish_started || stream->sending)
        return;
    server->finish_started = true;
    if (!stream->call.headers_sent)
        grpcc_call_send_headers(&stream->call, &ops[count++]);
    if (server->reply) {
        ops[count] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE};
        ops[count++].data.send_message.send_message = server->reply;
    }
    grpcc_call_send_status(&stream->call, server->status, &ops[count++], &text);
    stream->outstanding++;
    grpcc_call_start_batch(&stream->call, ops, count, &server->finish_op);
    grpc_slice_unref(text);
}

static void want_finish(struct server_stream *server, struct grpcc_status *status)
{
    if (server->finish_wanted) {
        grpcc_status_free(status);
        return;
    }
    server->finish_wanted = true;
    server->status = status;
    start_finish(server);
}

void grpcc_stream_finish(struct grpcc_stream *stream, struct grpcc_status *status,
                         grpcc_on_done *on_done)
{
    struct server_stream *server = server_stream(stream);

    grpcc_contract(!server->handler_finished);
    server->handler_finished = true;
    server->on_done = on_done;
    want_finish(server, status);
    /* Only from dispatch may the stream end, however little is left to wait for. */
    grpcc_queue_post(stream->call.queue, &server->handler_op, true);
}

void grpcc_stream_reply(struct grpcc_stream *stream, const ProtobufCMessage *response,
                        grpcc_on_done *on_done)
{
    struct server_stream *server = server_stream(stream);

    if (!server->finish_wanted)
        server->reply = grpcc_message_pack(response);
    grpcc_stream_finish(stream, NULL, on_done);
}

static void over(struct grpcc_stream *stream)
{
    struct server_stream *server = server_stream(stream);

    if (server->on_done)
        server->on_done(stream, stream->data);
    grpcc_buffer_destroy(&server->request_bytes);
    grpcc_message_free(server->request);
    grpcc_buffer_destroy(&server->reply);
    grpcc_status_free(server->status);
    grpcc_stream_clear(stream);
    grpcc_server_release(server->server);
    free(server);
}

/* ---- cancellation ---- */

/* A handler that has finished is not told any more. */
static void run_on_cancel(struct server_stream *server)
{
    void (*on_cancel)(struct grpcc_stream *, void *) = heel_steal(server->on_cancel);

    if (on_cancel && !server->handler_finished)
        on_cancel(&server->stream, server->stream.data);
}

static void cancel_done(struct grpcc_op *op, bool ok)
{
    struct server_stream *server = heel_container_of(op, struct server_stream, cancel_op);

    (void)ok;
    server->cancel_posted = false;
    run_on_cancel(server);
    grpcc_stream_release(&server->stream);
}

static void post_cancel(struct server_stream *server)
{
    if (server->cancel_posted)
        return;
    server->cancel_posted = true;
    server->stream.outstanding++;
    grpcc_queue_post(server->stream.call.queue, &server->cancel_op, true);
}

static void close_done(struct grpcc_op *op, bool ok)
{
    struct server_stream *server = heel_container_of(op, struct server_stream, close_op);

    (void)ok;
    if (server->closed_early) {
        server->stream.call.is_cancelled = true;
        server->cancel_seen = true;
        run_on_cancel(server);
    }
    grpcc_stream_release(&server->stream);
}

void grpcc_stream_on_cancel(struct grpcc_stream *stream,
                            void (*on_cancel)(struct grpcc_stream *stream, void *data))
{
    struct server_stream *server = server_stream(stream);

    server->on_cancel = on_cancel;
    if (on_cancel && server->cancel_seen)
        post_cancel(server);
}

/* ---- what stream.c asks ---- */

static size_t add_first(struct grpcc_stream *stream, bool reading, grpc_op *ops)
{
    if (reading || stream->call.headers_sent)
        return 0;
    grpcc_call_send_headers(&stream->call, ops);
    return 1;
}

static void reject(struct grpcc_stream *stream, struct grpcc_status *status)
{
    struct server_stream *server = server_stream(stream);

    stream->call.is_cancelled = true;
    server->cancel_seen = true;
    want_finish(server, status);
    post_cancel(server);
}

/* The end of a read comes before the end of the call, which is when gRPC says how it was; the
 * handler wants to know now. */
static void read_ended(struct grpcc_stream *stream)
{
    if (grpc_call_failed_before_recv_message(stream->call.core))
        stream->call.is_cancelled = true;
}

static void write_over(struct grpcc_stream *stream)
{
    start_finish(server_stream(stream));
}

static const struct grpcc_stream_side server_side = {add_first, reject, read_ended, write_over,
                                                     over};

/* ---- the beginning ---- */

static void run_handler(struct server_stream *server)
{
    const struct grpcc_route *route = server->route;

    if (route->method->kind == GRPCC_SERVER_STREAMING)
        route->handler.server_stream(&server->stream, server->request, route->service);
    else
        route->handler.stream(&server->stream, route->service);
}

/* No handler has heard of the stream, so that its part is over. */
static void refuse(struct server_stream *server, struct grpcc_status *status)
{
    grpcc_stream_finish(&server->stream, status, NULL);
}

static void begin_done(struct grpcc_op *op, bool ok)
{
    struct server_stream *server = heel_container_of(op, struct server_stream, begin_op);
    const struct grpcc_method *method = server->route->method;
    struct grpcc_status *status = NULL;

    if (method->kind == GRPCC_SERVER_STREAMING) {
        if (ok && server->request_bytes)
            server->request = grpcc_message_unpack(method->request, server->request_bytes,
                                                   &server->stream.limits, &status);
        else
            status =
                grpcc_status_new(GRPC_STATUS_UNIMPLEMENTED, "the call carried no request message");
        grpcc_buffer_destroy(&server->request_bytes);
    }
    if (status)
        refuse(server, status);
    else
        run_handler(server);
    grpcc_stream_release(&server->stream);
}

static void start_begin(struct server_stream *server)
{
    grpc_op receive = {.op = GRPC_OP_RECV_MESSAGE};

    server->stream.outstanding++;
    if (server->route->method->kind == GRPCC_SERVER_STREAMING) {
        receive.data.recv_message.recv_message = &server->request_bytes;
        grpcc_call_start_batch(&server->stream.call, &receive, 1, &server->begin_op);
    } else {
        grpcc_queue_post(server->stream.call.queue, &server->begin_op, true);
    }
}

static void start_close(struct server_stream *server)
{
    grpc_op close = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};

    server->stream.outstanding++;
    close.data.recv_close_on_server.cancelled = &server->closed_early;
    grpcc_call_start_batch(&server->stream.call, &close, 1, &server->close_op);
}

void grpcc_server_stream_begin(const struct grpcc_arrival *arrival)
{
    struct server_stream *server = heel_xcalloc(1, sizeof(*server));
    struct grpcc_stream *stream = &server->stream;
    const struct grpcc_method *method = arrival->route->method;

    grpcc_call_init(&stream->call, grpcc_server_queue(arrival->server), method);
    grpcc_stream_init(stream, &server_side, method->request,
                      grpcc_server_wire_limits(arrival->server));
    stream->call.core = arrival->core;
    stream->call.deadline = arrival->deadline;
    stream->call.received.array = arrival->metadata;
    server->server = arrival->server;
    server->route = arrival->route;
    server->close_op.done = close_done;
    server->cancel_op.done = cancel_done;
    server->finish_op.done = finish_done;
    server->handler_op.done = handler_done;
    server->begin_op.done = begin_done;
    grpcc_server_hold(server->server);
    stream->outstanding = 1; /* the handler's finish */
    /* The owner knows nothing of the stream until begin_op, so that must be the last: it may run at
     * once. */
    start_close(server);
    start_begin(server);
}
