/* What the files of the runtime share, and nobody else sees. */
#ifndef GRPCC_INTERNAL_H
#define GRPCC_INTERNAL_H

#include <grpc/byte_buffer.h>
#include <grpc/compression.h>
#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "proto/runtime/grpcc.h"
#include "proto/runtime/wire.h"

/* What the header forbids (a second answer, a second read) would corrupt memory later: end here,
 * where the cause is on the stack. */
static inline void grpcc_contract(bool held)
{
    if (!held)
        abort();
}

/* ---- operations and the queue (queue.c) ---- */

/* An operation in flight: gRPC's tag is its address, and it is embedded in what it belongs to. */
struct grpcc_op {
    void (*done)(struct grpcc_op *op, bool ok); /* on the owner's thread */
    /* Where not NULL, run before `done` on the thread that waits for gRPC. True: that was all, the
     * owner need not be woken; `op` may be gone. It saves a unary call two of its three wake-ups,
     * and a burst of calls is taken in as fast as it comes. */
    bool (*arrive)(struct grpcc_op *op, bool ok);
    struct grpcc_op *next; /* in the list of finished ones */
    bool ok;
};

grpc_completion_queue *grpcc_queue_core(struct grpcc_queue *queue);

/* Has op->done(op, ok) run by the next dispatch or poll. From any thread where the queue has a
 * waker. */
void grpcc_queue_post(struct grpcc_queue *queue, struct grpcc_op *op, bool ok);

/* Starts a batch that completes as `op`; where gRPC refuses it `op` completes with false. Only
 * op->arrive may be run before this returns, which may free what `op` is embedded in. */
void grpcc_queue_start(struct grpcc_queue *queue, grpc_call *call, const grpc_op *ops, size_t count,
                       struct grpcc_op *op);

/* ---- channel arguments (args.c) ---- */

enum { GRPCC_MAX_ARGS = 16 };

struct grpcc_args {
    grpc_arg entries[GRPCC_MAX_ARGS];
    size_t count;
};

void grpcc_args_add(struct grpcc_args *args, const char *key,
                    uint64_t value); /* `key` must be a literal */

/* What both sides ask for: large frames, no compression (gRPC would unpack a bomb of any size), no
 * channelz. */
void grpcc_args_add_common(struct grpcc_args *args, int64_t keepalive_ms,
                           int64_t keepalive_timeout_ms);

/* ---- metadata (metadata.c) ---- */

/* Headers or trailers to be sent. Zero-initialised is empty. */
struct grpcc_outgoing {
    grpc_metadata *entries; /* owned, with their slices */
    size_t count;
};

/* Copies both. -1 if gRPC would refuse the key or the value. */
int grpcc_outgoing_add(struct grpcc_outgoing *outgoing, const char *key, const void *value,
                       size_t length);
void grpcc_outgoing_clear(struct grpcc_outgoing *outgoing);

/* Headers or trailers of the peer, copied out of gRPC's array the first time that somebody looks.
 */
struct grpcc_incoming {
    grpc_metadata_array array;
    struct grpcc_metadata *entries; /* owned; NULL until looked at */
    size_t count;
};

void grpcc_incoming_init(struct grpcc_incoming *incoming);
const struct grpcc_metadata *grpcc_incoming_find(struct grpcc_incoming *incoming, const char *key);
void grpcc_incoming_report(struct grpcc_incoming *incoming,
                           const struct grpcc_call_options *options, bool trailing);
void grpcc_incoming_clear(struct grpcc_incoming *incoming);

/* ---- messages (message.c) ---- */

/* Serialised straight into one slice. The caller destroys it once gRPC has sent it. */
grpc_byte_buffer *grpcc_message_pack(const ProtobufCMessage *message);

/* Checks and unpacks; the caller frees the message. NULL and *status if the bytes are no acceptable
 * message. */
ProtobufCMessage *grpcc_message_unpack(const ProtobufCMessageDescriptor *descriptor,
                                       grpc_byte_buffer *buffer,
                                       const struct grpcc_wire_limits *limits,
                                       struct grpcc_status **status);

void grpcc_message_free(ProtobufCMessage *message); /* NULL is fine */
void grpcc_buffer_destroy(
    grpc_byte_buffer **buffer); /* destroys *buffer, which may be NULL, and sets it to NULL */

/* ---- calls (call.c) ---- */

/* What unary calls and streams of both sides have in common; their first member. */
struct grpcc_call {
    grpc_call *core;                   /* owned */
    struct grpcc_queue *queue;         /* borrowed; NULL in a blocking call */
    const struct grpcc_method *method; /* borrowed */
    gpr_timespec deadline;
    struct grpcc_incoming received;          /* the peer's headers */
    struct grpcc_incoming received_trailers; /* client only */
    struct grpcc_outgoing headers;
    struct grpcc_outgoing trailers; /* server only */
    bool headers_sent;
    bool ended; /* server: the status is on its way */
    bool is_cancelled;
};

void grpcc_call_init(struct grpcc_call *call, struct grpcc_queue *queue,
                     const struct grpcc_method *method);
void grpcc_call_clear(struct grpcc_call *call);

/* grpcc_queue_start on the call's queue. */
void grpcc_call_start_batch(struct grpcc_call *call, const grpc_op *ops, size_t count,
                            struct grpcc_op *op);

/* Fills in the operation that sends the headers. */
void grpcc_call_send_headers(struct grpcc_call *call, grpc_op *op);

/* Fills in the operation that ends a server's call. `status` NULL is OK. *text is for the caller to
 * unref after starting the batch. */
void grpcc_call_send_status(struct grpcc_call *call, const struct grpcc_status *status, grpc_op *op,
                            grpc_slice *text);

/* ---- the client's result of a call (client_status.c) ---- */

/* Receive slots of GRPC_OP_RECV_STATUS_ON_CLIENT; the trailers go to call->received_trailers. */
struct grpcc_client_status {
    grpc_status_code code;
    grpc_slice text;
};

void grpcc_client_status_init(struct grpcc_client_status *slots);
void grpcc_client_status_receive(struct grpcc_client_status *slots, struct grpcc_call *call,
                                 grpc_op *op);

/* What was received, details included; the caller owns it. Code 0 for OK. */
struct grpcc_status *grpcc_client_status_take(const struct grpcc_client_status *slots,
                                              struct grpcc_call *call);
void grpcc_client_status_clear(struct grpcc_client_status *slots);

/* ---- server (server.c) ---- */

/* A method that was registered. */
struct grpcc_route {
    const struct grpcc_method *method;
    union grpcc_handler handler;
    void *service;
};

struct grpcc_queue *grpcc_server_queue(const struct grpcc_server *server);
const struct grpcc_wire_limits *grpcc_server_wire_limits(const struct grpcc_server *server);

/* A server lives as long as something of it is in flight: each call holds it once. From any thread.
 */
void grpcc_server_hold(struct grpcc_server *server);
void grpcc_server_release(struct grpcc_server *server);

/* A call that has just come in, taken over by one of the functions below on the thread that waits
 * for gRPC. */
struct grpcc_arrival {
    struct grpcc_server *server;
    const struct grpcc_route *route; /* NULL: nobody registered the path */
    grpc_call *core;
    gpr_timespec deadline;
    grpc_metadata_array metadata;
};

void grpcc_unary_begin(
    const struct grpcc_arrival *arrival); /* unary.c; also answers where there is no route */
void grpcc_server_stream_begin(const struct grpcc_arrival *arrival); /* server_stream.c */

/* ---- streams (stream.c) ---- */

/* What the two sides do differently. */
struct grpcc_stream_side {
    /* Adds what has to go before or with the first read or write to ops; returns how many. */
    size_t (*add_first)(struct grpcc_stream *stream, bool reading, grpc_op *ops);
    /* A message came that can't be accepted; takes the status over. */
    void (*reject)(struct grpcc_stream *stream, struct grpcc_status *status);
    /* A read found the stream's end. */
    void (*read_ended)(struct grpcc_stream *stream);
    /* The write that was outstanding is over. */
    void (*write_over)(struct grpcc_stream *stream);
    /* Nothing is outstanding any more: last callback, then free. */
    void (*over)(struct grpcc_stream *stream);
};

struct grpcc_stream {
    struct grpcc_call call;
    const struct grpcc_stream_side *side;
    const ProtobufCMessageDescriptor *reads; /* what the peer sends */
    struct grpcc_wire_limits limits;
    void *data;
    unsigned outstanding; /* operations that will complete, and what else keeps the stream alive */

    struct grpcc_op read_op;
    grpcc_on_message *on_message; /* not NULL: a read is outstanding */
    grpc_byte_buffer *received;
    ProtobufCMessage *message; /* owned; the one that was delivered last */
    bool no_more_reads;        /* NULL was delivered */

    struct grpcc_op write_op;
    grpcc_on_written *on_written;
    grpc_byte_buffer *sending; /* not NULL: a write is outstanding */
};

void grpcc_stream_init(struct grpcc_stream *stream, const struct grpcc_stream_side *side,
                       const ProtobufCMessageDescriptor *reads,
                       const struct grpcc_wire_limits *limits);
void grpcc_stream_clear(struct grpcc_stream *stream);

/* One thing less that keeps the stream alive: the last releases it. Only at the end of an
 * operation's done(). */
void grpcc_stream_release(struct grpcc_stream *stream);

/* ---- channel (channel.c) ---- */

/* A call on the channel, not started; NULL never. */
grpc_call *grpcc_channel_create_call(struct grpcc_channel *channel, grpc_completion_queue *cq,
                                     const struct grpcc_method *method, gpr_timespec deadline);

/* A completion queue to pluck from, for one blocking call; give it back afterwards. */
grpc_completion_queue *grpcc_channel_borrow_pluck(struct grpcc_channel *channel);
void grpcc_channel_return_pluck(struct grpcc_channel *channel, grpc_completion_queue *cq);

/* Absolute, from options->timeout_ms; infinite where there is none. */
gpr_timespec grpcc_deadline(const struct grpcc_call_options *options);

/* Adds the headers of options to the call: 0, or -1 if gRPC would refuse one of them. */
int grpcc_call_add_option_headers(struct grpcc_call *call,
                                  const struct grpcc_call_options *options);

/* The limits that hold for what servers send. */
extern const struct grpcc_wire_limits grpcc_default_wire_limits;

#endif
