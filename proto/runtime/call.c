#include "proto/runtime/internal.h"

#include <string.h>

/* gRPC drops what exceeds 8 KiB of headers on the receiver's side, the whole status with it. */
enum { MAX_STATUS_TEXT = 2048, MAX_STATUS_DETAILS = 5120 };

void grpcc_call_init(struct grpcc_call *call, struct grpcc_queue *queue,
                     const struct grpcc_method *method)
{
    *call = (struct grpcc_call){
        .queue = queue, .method = method, .deadline = gpr_inf_future(GPR_CLOCK_MONOTONIC)};
    grpcc_incoming_init(&call->received);
    grpcc_incoming_init(&call->received_trailers);
}

void grpcc_call_clear(struct grpcc_call *call)
{
    grpcc_incoming_clear(&call->received);
    grpcc_incoming_clear(&call->received_trailers);
    grpcc_outgoing_clear(&call->headers);
    grpcc_outgoing_clear(&call->trailers);
    if (call->core)
        grpc_call_unref(call->core);
}

void grpcc_call_start_batch(struct grpcc_call *call, const grpc_op *ops, size_t count,
                            struct grpcc_op *op)
{
    grpcc_queue_start(call->queue, call->core, ops, count, op);
}

void grpcc_call_send_headers(struct grpcc_call *call, grpc_op *op)
{
    call->headers_sent = true;
    *op = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
    op->data.send_initial_metadata.count = call->headers.count;
    op->data.send_initial_metadata.metadata = call->headers.entries;
}

/* A status text that would be too long is cut at the end of a character. */
static grpc_slice status_text(const char *message)
{
    size_t length = strlen(message);

    if (length > MAX_STATUS_TEXT) {
        length = MAX_STATUS_TEXT;
        while (length && ((unsigned char)message[length] & 0xc0) == 0x80)
            length--;
    }
    return grpc_slice_from_copied_buffer(message, length);
}

void grpcc_call_send_status(struct grpcc_call *call, const struct grpcc_status *status, grpc_op *op,
                            grpc_slice *text)
{
    heel_autofree uint8_t *details = NULL;
    size_t length = 0;

    *op = (grpc_op){.op = GRPC_OP_SEND_STATUS_FROM_SERVER};
    *text = grpc_empty_slice();
    call->ended = true;
    if (status && status->code != GRPC_STATUS_OK) {
        bool known = status->code > 0 && status->code <= GRPC_STATUS_UNAUTHENTICATED;

        op->data.send_status_from_server.status =
            known ? (grpc_status_code)status->code : GRPC_STATUS_UNKNOWN;
        *text = status_text(status->message);
        op->data.send_status_from_server.status_details = text;
        details = grpcc_status_encode_details(status, &length);
    }
    if (details && length <= MAX_STATUS_DETAILS)
        grpcc_outgoing_add(&call->trailers, "grpc-status-details-bin", details, length);
    op->data.send_status_from_server.trailing_metadata_count = call->trailers.count;
    op->data.send_status_from_server.trailing_metadata = call->trailers.entries;
}

const struct grpcc_metadata *grpcc_call_metadata(const struct grpcc_call *call, const char *key)
{
    /* Looking makes a copy, which changes nothing that the caller could see. */
    return grpcc_incoming_find(&((struct grpcc_call *)(uintptr_t)call)->received, key);
}

const struct grpcc_metadata *grpcc_call_trailer(const struct grpcc_call *call, const char *key)
{
    return grpcc_incoming_find(&((struct grpcc_call *)(uintptr_t)call)->received_trailers, key);
}

int64_t grpcc_call_time_left_ms(const struct grpcc_call *call)
{
    gpr_timespec deadline = gpr_convert_clock_type(call->deadline, GPR_CLOCK_MONOTONIC);
    gpr_timespec left;

    if (gpr_time_cmp(deadline, gpr_inf_future(GPR_CLOCK_MONOTONIC)) == 0)
        return INT64_MAX;
    left = gpr_time_sub(deadline, gpr_now(GPR_CLOCK_MONOTONIC));
    return left.tv_sec < 0 ? 0 : left.tv_sec * 1000 + left.tv_nsec / 1000000;
}

int grpcc_call_add_header(struct grpcc_call *call, const char *key, const void *value,
                          size_t length)
{
    return call->headers_sent || call->ended
               ? -1
               : grpcc_outgoing_add(&call->headers, key, value, length);
}

int grpcc_call_add_trailer(struct grpcc_call *call, const char *key, const void *value,
                           size_t length)
{
    return call->ended ? -1 : grpcc_outgoing_add(&call->trailers, key, value, length);
}

bool grpcc_call_is_cancelled(const struct grpcc_call *call)
{
    return call->is_cancelled;
}
