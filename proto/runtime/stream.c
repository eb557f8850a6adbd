#include "proto/runtime/internal.h"

void grpcc_stream_init(struct grpcc_stream *stream, const struct grpcc_stream_side *side,
                       const ProtobufCMessageDescriptor *reads,
                       const struct grpcc_wire_limits *limits)
{
    stream->side = side;
    stream->reads = reads;
    stream->limits = *limits;
}

void grpcc_stream_clear(struct grpcc_stream *stream)
{
    grpcc_message_free(stream->message);
    grpcc_buffer_destroy(&stream->received);
    grpcc_buffer_destroy(&stream->sending);
    grpcc_call_clear(&stream->call);
}

void grpcc_stream_release(struct grpcc_stream *stream)
{
    if (--stream->outstanding == 0)
        stream->side->over(stream);
}

/* ---- read ---- */

static void read_done(struct grpcc_op *op, bool ok)
{
    struct grpcc_stream *stream = heel_container_of(op, struct grpcc_stream, read_op);
    grpcc_on_message *on_message = heel_steal(stream->on_message);
    struct grpcc_status *status = NULL;

    if (ok && stream->received && !stream->no_more_reads)
        stream->message =
            grpcc_message_unpack(stream->reads, stream->received, &stream->limits, &status);
    grpcc_buffer_destroy(&stream->received);
    if (status)
        stream->side->reject(stream, status);
    if (!stream->message && !stream->no_more_reads) {
        stream->no_more_reads = true;
        stream->side->read_ended(stream);
    }
    on_message(stream, stream->message, stream->data);
    grpcc_stream_release(stream);
}

void grpcc_stream_read(struct grpcc_stream *stream, grpcc_on_message *on_message)
{
    grpc_op ops[3];
    size_t count;

    grpcc_contract(on_message && !stream->on_message);
    stream->on_message = on_message;
    stream->read_op = (struct grpcc_op){.done = read_done};
    stream->outstanding++;
    grpcc_message_free(heel_steal(stream->message));
    if (stream->no_more_reads) {
        grpcc_queue_post(stream->call.queue, &stream->read_op, false);
        return;
    }
    count = stream->side->add_first(stream, true, ops);
    ops[count] = (grpc_op){.op = GRPC_OP_RECV_MESSAGE};
    ops[count++].data.recv_message.recv_message = &stream->received;
    grpcc_call_start_batch(&stream->call, ops, count, &stream->read_op);
}

/* ---- write ---- */

static void write_done(struct grpcc_op *op, bool ok)
{
    struct grpcc_stream *stream = heel_container_of(op, struct grpcc_stream, write_op);
    grpcc_on_written *on_written = heel_steal(stream->on_written);

    grpcc_buffer_destroy(&stream->sending);
    if (on_written)
        on_written(stream, ok, stream->data);
    if (!stream->sending)
        stream->side->write_over(stream);
    grpcc_stream_release(stream);
}

void grpcc_stream_write(struct grpcc_stream *stream, const ProtobufCMessage *message,
                        grpcc_on_written *on_written)
{
    grpc_op ops[2];
    size_t count;

    grpcc_contract(!stream->sending);
    stream->sending = grpcc_message_pack(message);
    stream->on_written = on_written;
    stream->write_op = (struct grpcc_op){.done = write_done};
    stream->outstanding++;
    /* The runtime may have ended a stream that its handler still writes to. */
    if (stream->call.ended) {
        grpcc_queue_post(stream->call.queue, &stream->write_op, false);
        return;
    }
    count = stream->side->add_first(stream, false, ops);
    ops[count] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE};
    ops[count++].data.send_message.send_message = stream->sending;
    grpcc_call_start_batch(&stream->call, ops, count, &stream->write_op);
}

/* ---- what callbacks use ---- */

void grpcc_stream_set_data(struct grpcc_stream *stream, void *data)
{
    stream->data = data;
}

struct grpcc_call *grpcc_stream_call(struct grpcc_stream *stream)
{
    return &stream->call;
}
