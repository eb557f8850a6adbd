#include "proto/runtime/internal.h"

void grpcc_client_status_init(struct grpcc_client_status *slots)
{
    slots->code = GRPC_STATUS_UNKNOWN;
    slots->text = grpc_empty_slice();
}

void grpcc_client_status_receive(struct grpcc_client_status *slots, struct grpcc_call *call,
                                 grpc_op *op)
{
    *op = (grpc_op){.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
    op->data.recv_status_on_client.trailing_metadata = &call->received_trailers.array;
    op->data.recv_status_on_client.status = &slots->code;
    op->data.recv_status_on_client.status_details = &slots->text;
}

struct grpcc_status *grpcc_client_status_take(const struct grpcc_client_status *slots,
                                              struct grpcc_call *call)
{
    heel_autofree char *text = grpc_slice_to_c_string(slots->text);
    struct grpcc_status *status = grpcc_status_new((int)slots->code, text);
    const struct grpcc_metadata *details;

    if (status->code == GRPC_STATUS_OK)
        return status;
    details = grpcc_incoming_find(&call->received_trailers, "grpc-status-details-bin");
    if (details)
        grpcc_status_decode_details(status, (const uint8_t *)details->value, details->length);
    return status;
}

void grpcc_client_status_clear(struct grpcc_client_status *slots)
{
    grpc_slice_unref(slots->text);
}
