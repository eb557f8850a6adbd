#include "proto/runtime/internal.h"

/* A unary call on the client: one batch with all of it, that completes when the status is there. */
struct exchange {
    struct grpcc_call call;
    struct grpcc_client_status status;
    grpc_byte_buffer *sent;
    grpc_byte_buffer *received;
};

struct grpcc_client_call {
    struct exchange exchange;
    struct grpcc_op op;
    struct grpcc_call_options options; /* only on_metadata is used */
    grpcc_on_reply *on_reply;
    void *data;
    bool refused; /* gRPC didn't take the batch */
};

gpr_timespec grpcc_deadline(const struct grpcc_call_options *options)
{
    if (!options || options->timeout_ms <= 0)
        return gpr_inf_future(GPR_CLOCK_MONOTONIC);
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                        gpr_time_from_millis(options->timeout_ms, GPR_TIMESPAN));
}

int grpcc_call_add_option_headers(struct grpcc_call *call, const struct grpcc_call_options *options)
{
    for (size_t i = 0; options && i < options->metadata_count; i++) {
        const struct grpcc_metadata *entry = &options->metadata[i];

        if (grpcc_outgoing_add(&call->headers, entry->key, entry->value, entry->length))
            return -1;
    }
    return 0;
}

/* 0, or -1 where gRPC refuses the headers; nothing was started then. */
static int exchange_start(struct exchange *exchange, struct grpcc_channel *channel,
                          grpc_completion_queue *cq, const ProtobufCMessage *request,
                          const struct grpcc_call_options *options, void *tag)
{
    struct grpcc_call *call = &exchange->call;
    grpc_op ops[6] = {0};

    call->deadline = grpcc_deadline(options);
    if (grpcc_call_add_option_headers(call, options))
        return -1;
    call->core = grpcc_channel_create_call(channel, cq, call->method, call->deadline);
    exchange->sent = grpcc_message_pack(request);
    grpcc_call_send_headers(call, &ops[0]);
    ops[1].op = GRPC_OP_SEND_MESSAGE;
    ops[1].data.send_message.send_message = exchange->sent;
    ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &call->received.array;
    ops[4].op = GRPC_OP_RECV_MESSAGE;
    ops[4].data.recv_message.recv_message = &exchange->received;
    grpcc_client_status_receive(&exchange->status, call, &ops[5]);
    return grpc_call_start_batch(call->core, ops, HEEL_ARRAY_LENGTH(ops), tag, NULL) == GRPC_CALL_OK
               ? 0
               : -1;
}

static void exchange_init(struct exchange *exchange, struct grpcc_queue *queue,
                          const struct grpcc_method *method)
{
    *exchange = (struct exchange){0};
    grpcc_call_init(&exchange->call, queue, method);
    grpcc_client_status_init(&exchange->status);
}

static void exchange_clear(struct exchange *exchange)
{
    grpcc_buffer_destroy(&exchange->sent);
    grpcc_buffer_destroy(&exchange->received);
    grpcc_client_status_clear(&exchange->status);
    grpcc_call_clear(&exchange->call);
}

/* The message of an exchange that ended with OK, or NULL and *status: what is wrong with it is the
 * server's mistake. */
static ProtobufCMessage *unpack_response(const struct exchange *exchange,
                                         struct grpcc_status **status)
{
    ProtobufCMessage *response;

    if (!exchange->received) {
        *status =
            grpcc_status_new(GRPC_STATUS_INTERNAL, "the server answered OK without a message");
        return NULL;
    }
    response = grpcc_message_unpack(exchange->call.method->response, exchange->received,
                                    &grpcc_default_wire_limits, status);
    if (!response)
        (*status)->code = GRPC_STATUS_INTERNAL;
    return response;
}

/* The response, or NULL and *status, of an exchange that is over; the caller owns either. */
static ProtobufCMessage *exchange_result(struct exchange *exchange,
                                         const struct grpcc_call_options *options,
                                         struct grpcc_status **status)
{
    grpcc_autostatus struct grpcc_status *result =
        grpcc_client_status_take(&exchange->status, &exchange->call);

    grpcc_incoming_report(&exchange->call.received, options, false);
    grpcc_incoming_report(&exchange->call.received_trailers, options, true);
    if (result->code == GRPC_STATUS_OK)
        return unpack_response(exchange, status);
    *status = heel_steal(result);
    return NULL;
}

static struct grpcc_status *refusal(void)
{
    return grpcc_status_new(GRPC_STATUS_INTERNAL,
                            "the call can't be started: gRPC refuses its metadata");
}

/* ---- blocking ---- */

int grpcc_call_blocking(struct grpcc_channel *channel, const struct grpcc_method *method,
                        const ProtobufCMessage *request, const struct grpcc_call_options *options,
                        ProtobufCMessage **response, struct grpcc_status **status)
{
    grpc_completion_queue *cq = grpcc_channel_borrow_pluck(channel);
    struct grpcc_status *failed = NULL;
    ProtobufCMessage *received = NULL;
    struct exchange exchange;

    exchange_init(&exchange, NULL, method);
    if (exchange_start(&exchange, channel, cq, request, options, &exchange) == 0) {
        grpc_completion_queue_pluck(cq, &exchange, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        received = exchange_result(&exchange, options, &failed);
    } else {
        failed = refusal();
    }
    exchange_clear(&exchange);
    grpcc_channel_return_pluck(channel, cq);
    if (received)
        *response = received;
    else if (status)
        *status = failed;
    else
        grpcc_status_free(failed);
    return received ? 0 : -1;
}

/* ---- on a queue ---- */

static void call_done(struct grpcc_op *op, bool ok)
{
    struct grpcc_client_call *call = heel_container_of(op, struct grpcc_client_call, op);
    grpcc_autostatus struct grpcc_status *status = NULL;
    ProtobufCMessage *response = NULL;

    (void)ok;
    if (call->refused)
        status = refusal();
    else
        response = exchange_result(&call->exchange, &call->options, &status);
    call->on_reply(response, status, call->data);
    grpcc_message_free(response);
    exchange_clear(&call->exchange);
    free(call);
}

struct grpcc_client_call *grpcc_call_start(struct grpcc_channel *channel, struct grpcc_queue *queue,
                                           const struct grpcc_method *method,
                                           const ProtobufCMessage *request,
                                           const struct grpcc_call_options *options,
                                           grpcc_on_reply *on_reply, void *data)
{
    struct grpcc_client_call *call = heel_xcalloc(1, sizeof(*call));

    call->op = (struct grpcc_op){.done = call_done};
    call->on_reply = on_reply;
    call->data = data;
    if (options)
        call->options = *options;
    exchange_init(&call->exchange, queue, method);
    if (exchange_start(&call->exchange, channel, grpcc_queue_core(queue), request, options,
                       &call->op)) {
        call->refused = true;
        grpcc_queue_post(queue, &call->op, false);
    }
    return call;
}

void grpcc_call_cancel(struct grpcc_client_call *call)
{
    if (call->exchange.call.core)
        grpc_call_cancel(call->exchange.call.core, NULL);
}
