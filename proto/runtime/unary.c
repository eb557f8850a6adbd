#include "proto/runtime/internal.h"

/* A unary call on the server. Its parts live on two threads: the owner's knows it from the handler
 * to the answer; what comes after the answer (gRPC has sent it, the call is closed) needs no owner
 * and ends on the thread that waits for gRPC. */
struct grpcc_unary {
    struct grpcc_call call;
    struct grpcc_server *server; /* held */
    const struct grpcc_route
        *route; /* borrowed from the server; NULL: answered with UNIMPLEMENTED */
    /* close_op, the answer, and a posted cancel_op each hold one; the last frees. */
    atomic_uint references;
    atomic_bool answered;

    struct grpcc_op request_op;
    grpc_byte_buffer *received;
    ProtobufCMessage *request; /* owned; until the answer */

    struct grpcc_op answer_op;
    grpc_byte_buffer *sent;

    struct grpcc_op close_op;
    int closed_early; /* receive slot of close_op */

    struct grpcc_op cancel_op; /* posted where on_cancel comes too late */
    bool cancel_posted;
    void (*on_cancel)(struct grpcc_unary *call, void *data);
    void *on_cancel_data;
};

static void release(struct grpcc_unary *unary)
{
    if (atomic_fetch_sub_explicit(&unary->references, 1, memory_order_acq_rel) != 1)
        return;
    grpcc_buffer_destroy(&unary->received);
    grpcc_buffer_destroy(&unary->sent);
    grpcc_message_free(unary->request);
    grpcc_call_clear(&unary->call);
    grpcc_server_release(unary->server);
    free(unary);
}

/* ---- answer ---- */

static void answer_done(struct grpcc_op *op, bool ok)
{
    (void)ok;
    release(heel_container_of(op, struct grpcc_unary, answer_op));
}

static bool answer_arrive(struct grpcc_op *op, bool ok)
{
    answer_done(op, ok);
    return true;
}

/* One batch, so that headers, message and status leave in one write. The call may be gone when this
 * returns. */
static void start_answer(struct grpcc_unary *unary, const struct grpcc_status *status)
{
    grpc_op ops[3];
    size_t count = 0;
    grpc_slice text;

    grpcc_contract(!atomic_load_explicit(&unary->answered, memory_order_relaxed));
    unary->answer_op = (struct grpcc_op){.done = answer_done, .arrive = answer_arrive};
    grpcc_message_free(heel_steal(unary->request));
    grpcc_call_send_headers(&unary->call, &ops[count++]);
    if (unary->sent) {
        ops[count] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE};
        ops[count++].data.send_message.send_message = unary->sent;
    }
    grpcc_call_send_status(&unary->call, status, &ops[count++], &text);
    atomic_store_explicit(&unary->answered, true, memory_order_release);
    grpcc_call_start_batch(&unary->call, ops, count, &unary->answer_op);
    grpc_slice_unref(text);
}

void grpcc_reply(struct grpcc_unary *call, const ProtobufCMessage *response)
{
    call->sent = grpcc_message_pack(response);
    start_answer(call, NULL);
}

void grpcc_fail(struct grpcc_unary *call, struct grpcc_status *status)
{
    start_answer(call, status);
    grpcc_status_free(status);
}

/* ---- request ---- */

static void request_done(struct grpcc_op *op, bool ok)
{
    struct grpcc_unary *unary = heel_container_of(op, struct grpcc_unary, request_op);
    const struct grpcc_route *route = unary->route;
    struct grpcc_status *status = NULL;

    if (ok && unary->received)
        unary->request = grpcc_message_unpack(route->method->request, unary->received,
                                              grpcc_server_wire_limits(unary->server), &status);
    else
        status = grpcc_status_new(GRPC_STATUS_UNIMPLEMENTED, "the call carried no request message");
    grpcc_buffer_destroy(&unary->received);
    if (status)
        grpcc_fail(unary, status);
    else
        route->handler.unary(unary, unary->request, route->service);
}

static void start_request(struct grpcc_unary *unary)
{
    grpc_op receive = {.op = GRPC_OP_RECV_MESSAGE};

    receive.data.recv_message.recv_message = &unary->received;
    unary->request_op = (struct grpcc_op){.done = request_done};
    grpcc_call_start_batch(&unary->call, &receive, 1, &unary->request_op);
}

/* ---- the call's end, and cancellation ---- */

static void run_on_cancel(struct grpcc_unary *unary)
{
    void (*on_cancel)(struct grpcc_unary *, void *) = heel_steal(unary->on_cancel);

    if (on_cancel && !atomic_load_explicit(&unary->answered, memory_order_relaxed))
        on_cancel(unary, unary->on_cancel_data);
}

static void close_done(struct grpcc_op *op, bool ok)
{
    struct grpcc_unary *unary = heel_container_of(op, struct grpcc_unary, close_op);

    (void)ok;
    if (unary->closed_early) {
        unary->call.is_cancelled = true;
        run_on_cancel(unary);
    }
    release(unary);
}

/* After the answer nobody wants to know how the call ended. */
static bool close_arrive(struct grpcc_op *op, bool ok)
{
    struct grpcc_unary *unary = heel_container_of(op, struct grpcc_unary, close_op);

    (void)ok;
    if (!atomic_load_explicit(&unary->answered, memory_order_acquire))
        return false;
    release(unary);
    return true;
}

static void start_close(struct grpcc_unary *unary)
{
    grpc_op close = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};

    close.data.recv_close_on_server.cancelled = &unary->closed_early;
    unary->close_op = (struct grpcc_op){.done = close_done, .arrive = close_arrive};
    grpcc_call_start_batch(&unary->call, &close, 1, &unary->close_op);
}

static void cancel_done(struct grpcc_op *op, bool ok)
{
    struct grpcc_unary *unary = heel_container_of(op, struct grpcc_unary, cancel_op);

    (void)ok;
    unary->cancel_posted = false;
    run_on_cancel(unary);
    release(unary);
}

void grpcc_unary_on_cancel(struct grpcc_unary *call,
                           void (*on_cancel)(struct grpcc_unary *call, void *data), void *data)
{
    call->on_cancel = on_cancel;
    call->on_cancel_data = data;
    if (!on_cancel || !call->call.is_cancelled || call->cancel_posted)
        return;
    call->cancel_posted = true;
    call->cancel_op = (struct grpcc_op){.done = cancel_done};
    atomic_fetch_add_explicit(&call->references, 1, memory_order_relaxed);
    grpcc_queue_post(call->call.queue, &call->cancel_op, true);
}

struct grpcc_call *grpcc_unary_call(struct grpcc_unary *call)
{
    return &call->call;
}

void grpcc_unary_begin(const struct grpcc_arrival *arrival)
{
    struct grpcc_unary *unary = heel_xcalloc(1, sizeof(*unary));

    grpcc_call_init(&unary->call, grpcc_server_queue(arrival->server),
                    arrival->route ? arrival->route->method : NULL);
    unary->call.core = arrival->core;
    unary->call.deadline = arrival->deadline;
    unary->call.received.array = arrival->metadata;
    unary->server = arrival->server;
    unary->route = arrival->route;
    atomic_init(&unary->references, 2);
    grpcc_server_hold(unary->server);
    start_close(unary);
    if (unary->route)
        start_request(unary);
    else
        grpcc_fail(unary,
                   grpcc_status_new(GRPC_STATUS_UNIMPLEMENTED, "this server has no such method"));
}
