/* grpcc: the runtime under the code that protoc-gen-grpc-c generates. It makes C a gRPC language:
 * typed messages (protobuf-c), calls that are answered now or later, streams that read only what
 * was asked for, deadlines, cancellation, metadata and the rich error model. It is the only code of
 * heel that includes <grpc/...>.
 *
 * Threads. Everything that belongs to one queue (its servers, calls, streams, and their callbacks)
 * is used from one thread, the queue's owner. A queue made with a waker has a thread of its own
 * inside, which waits for gRPC and only ever appends finished operations to a list and calls the
 * waker; the owner then calls grpcc_queue_dispatch(), and that runs the callbacks. A queue without
 * a waker has no thread: the owner calls grpcc_queue_poll(). Blocking client calls need no queue at
 * all.
 *
 * Callbacks are never run from inside the function that starts an operation, only from dispatch or
 * poll.
 *
 * Lifetimes. What a callback receives is borrowed unless it says otherwise. Messages passed to the
 * runtime are serialised before the function returns. */
#ifndef GRPCC_GRPCC_H
#define GRPCC_GRPCC_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/runtime/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Call once before anything else, and once at the end of the program (each init needs its
 * shutdown). */
void grpcc_init(void);
void grpcc_shutdown(void);

/* ---- queue ---- */

struct grpcc_queue;

/* Called from the queue's own thread, when the list of finished operations stops being empty: must
 * make the owner's loop call grpcc_queue_dispatch() soon (uv_async_send is the model). */
struct grpcc_waker {
    void (*wake)(void *context);
    void *context;
};

/* `waker` is copied; NULL makes a queue that is polled. Never NULL. */
struct grpcc_queue *grpcc_queue_new(const struct grpcc_waker *waker);

/* Runs the callbacks of all operations finished so far; returns how many. Queues with a waker only.
 */
size_t grpcc_queue_dispatch(struct grpcc_queue *queue);

/* Waits up to `timeout_ms` (negative: for ever) for one operation and runs its callback. True if
 * one was run, false at the timeout. Queues without a waker only. */
bool grpcc_queue_poll(struct grpcc_queue *queue, int64_t timeout_ms);

/* Shuts the queue down: every call on it must be over and every server freed. Runs what is left,
 * joins the thread. */
void grpcc_queue_free(struct grpcc_queue *queue);

/* ---- metadata ---- */

/* One header or trailer. A key that ends in "-bin" has a binary value. */
struct grpcc_metadata {
    const char *key;   /* lower case */
    const char *value; /* `length` bytes, NUL-terminated besides */
    size_t length;
};

/* ---- methods (what the generator emits) ---- */

enum grpcc_kind {
    GRPCC_UNARY,
    GRPCC_CLIENT_STREAMING,
    GRPCC_SERVER_STREAMING,
    GRPCC_BIDI_STREAMING,
};

struct grpcc_method {
    const char *path; /* "/package.Service/Method" */
    enum grpcc_kind kind;
    const ProtobufCMessageDescriptor *request;
    const ProtobufCMessageDescriptor *response;
};

/* ---- what every call has ---- */

struct grpcc_call;

/* The value of the first metadata entry with this key that the peer sent before its messages (on a
 * client: initial metadata, available once the first message or the status came), or NULL. Borrowed
 * from the call. */
const struct grpcc_metadata *grpcc_call_metadata(const struct grpcc_call *call, const char *key);

/* Client side: the same for what the server sent after its messages; NULL before the status came.
 */
const struct grpcc_metadata *grpcc_call_trailer(const struct grpcc_call *call, const char *key);

/* Milliseconds until the deadline, never negative; INT64_MAX if there is none. */
int64_t grpcc_call_time_left_ms(const struct grpcc_call *call);

/* Server side: adds a header (before the first write or reply) or a trailer (before the end). Both
 * are copied. 0, or -1 where it is too late or HTTP/2 forbids the key or the value. */
int grpcc_call_add_header(struct grpcc_call *call, const char *key, const void *value,
                          size_t length);
int grpcc_call_add_trailer(struct grpcc_call *call, const char *key, const void *value,
                           size_t length);

/* Server side: true once the peer cancelled, its deadline passed, or its connection was lost. */
bool grpcc_call_is_cancelled(const struct grpcc_call *call);

/* ---- server ---- */

struct grpcc_server;

/* 0 is each member's default. */
struct grpcc_server_options {
    /* The largest message that is taken, 4 MiB by default; a larger one is RESOURCE_EXHAUSTED. */
    size_t max_receive_bytes;
    /* Calls at a time per connection; no limit by default. */
    unsigned max_concurrent_streams;
    /* Ping a silent peer after this long, and drop it when it doesn't answer within the timeout;
     * gRPC's defaults are 2 hours and 20 s. */
    int64_t keepalive_ms;
    int64_t keepalive_timeout_ms;
    /* Nesting of messages, 32 by default, and fields and elements of one message with those of
     * nested ones, 262,144 by default; beyond it is INVALID_ARGUMENT. */
    unsigned max_wire_depth;
    size_t max_wire_elements;
    /* What a stream takes in ahead of reads, 128 KiB by default. More helps uploads from afar. */
    size_t window_bytes;
    /* What all connections together hold of messages that were not read yet, 64 MiB by default.
     * Beyond it streams are cut, any of this server's, with RESOURCE_EXHAUSTED for their clients.
     * It is there against peers that mean harm: gRPC takes a message in before it finds that it is
     * too large. A stream that stalls holds window_bytes, a message that is arriving its size. */
    size_t max_buffered_bytes;
};

/* A server without an address: connections are handed to it. `options` may be NULL. */
struct grpcc_server *grpcc_server_new(struct grpcc_queue *queue,
                                      const struct grpcc_server_options *options);

struct grpcc_unary;
struct grpcc_stream;

/* Handlers as the runtime calls them; the generated tables are typed versions of these. `request`
 * is borrowed and valid until the call is answered (unary) or the stream is done (server
 * streaming). `service` is what was registered. */
typedef void grpcc_unary_handler(struct grpcc_unary *call, const ProtobufCMessage *request,
                                 void *service);
typedef void grpcc_server_stream_handler(struct grpcc_stream *stream,
                                         const ProtobufCMessage *request, void *service);
typedef void grpcc_stream_handler(struct grpcc_stream *stream, void *service);

union grpcc_handler {
    grpcc_unary_handler *unary;
    grpcc_server_stream_handler *server_stream;
    grpcc_stream_handler *stream; /* client streaming and bidirectional */
};

/* Registers one method; a NULL handler answers UNIMPLEMENTED, as does a path that nobody
 * registered. Before grpcc_server_start. */
void grpcc_server_register(struct grpcc_server *server, const struct grpcc_method *method,
                           union grpcc_handler handler, void *service);

/* After this calls come in. */
void grpcc_server_start(struct grpcc_server *server);

/* Takes over a connected stream socket (any family) and speaks HTTP/2 on it. The server closes it.
 */
void grpcc_server_add_connection(struct grpcc_server *server, int fd);

/* Notify: no new calls (GOAWAY); running ones go on. `on_drained` is run when the last one is over,
 * its handler has answered it, and every connection is closed. Once only. A call that crosses the
 * GOAWAY ends with UNAVAILABLE or CANCELLED for its client. */
void grpcc_server_drain(struct grpcc_server *server, void (*on_drained)(void *context),
                        void *context);

/* After grpcc_server_drain: cancels every call that is still running. */
void grpcc_server_cancel_all(struct grpcc_server *server);

/* Only after on_drained. NULL is fine. */
void grpcc_server_free(struct grpcc_server *server);

/* ---- unary calls, server side ---- */

/* The handler answers exactly once, now or later, from the queue's thread: then `call` is gone. */
void grpcc_reply(struct grpcc_unary *call, const ProtobufCMessage *response);
void grpcc_fail(struct grpcc_unary *call, struct grpcc_status *status); /* takes the status over */

struct grpcc_call *grpcc_unary_call(struct grpcc_unary *call);

/* Run at most once, and only before the answer, when the peer gives up (see
 * grpcc_call_is_cancelled). The handler still has to answer; what it answers is dropped. Runs on
 * the next dispatch if that is so already. NULL clears it. */
void grpcc_unary_on_cancel(struct grpcc_unary *call,
                           void (*on_cancel)(struct grpcc_unary *call, void *data), void *data);

/* ---- streams, both sides ---- */

/* One read and one write may be outstanding at a time; a second one aborts.
 *
 * on_message: a message, valid until the next grpcc_stream_read on this stream or its end; or NULL
 * when no more will come: half-close, or the stream is broken (grpcc_call_is_cancelled tells on a
 * server, the status on a client). A message that doesn't pass the wire check ends the stream on a
 * server: the peer gets INVALID_ARGUMENT, the handler sees on_message(NULL) with
 * grpcc_call_is_cancelled() true, and has to finish the stream as ever.
 *
 * on_written (may be NULL): the transport has taken the message, which is the back-pressure; ok is
 * false when the stream is broken. */
typedef void grpcc_on_message(struct grpcc_stream *stream, const ProtobufCMessage *message,
                              void *data);
typedef void grpcc_on_written(struct grpcc_stream *stream, bool ok, void *data);

void grpcc_stream_read(struct grpcc_stream *stream, grpcc_on_message *on_message);
void grpcc_stream_write(struct grpcc_stream *stream, const ProtobufCMessage *message,
                        grpcc_on_written *on_written);

/* What the callbacks get as `data`. */
void grpcc_stream_set_data(struct grpcc_stream *stream, void *data);
struct grpcc_call *grpcc_stream_call(struct grpcc_stream *stream);

/* ---- streams, server side ---- */

/* Run at most once, before the stream is finished, when the peer gives up; on the next dispatch if
 * that is so already. NULL clears it. The handler still has to finish the stream. A pending read or
 * write completes besides (with NULL or false). */
void grpcc_stream_on_cancel(struct grpcc_stream *stream,
                            void (*on_cancel)(struct grpcc_stream *stream, void *data));

typedef void grpcc_on_done(struct grpcc_stream *stream, void *data);

/* Ends the stream, exactly once, cancelled or not; no read or write may be started after it.
 * `status` is taken over; NULL is OK. A pending write is sent first, pending callbacks are still
 * run. `on_done` (may be NULL) is the very last callback; after it the stream is gone. */
void grpcc_stream_finish(struct grpcc_stream *stream, struct grpcc_status *status,
                         grpcc_on_done *on_done);

/* Client streaming: the one response, then OK. */
void grpcc_stream_reply(struct grpcc_stream *stream, const ProtobufCMessage *response,
                        grpcc_on_done *on_done);

/* ---- client ---- */

struct grpcc_channel;

struct grpcc_channel_options {
    size_t max_receive_bytes;     /* 0: 4 MiB */
    int64_t keepalive_ms;         /* 0: off */
    int64_t keepalive_timeout_ms; /* 0: gRPC's default */
};

/* Takes over a connected stream socket. It does not reconnect: once the peer is gone every call
 * fails with UNAVAILABLE. */
struct grpcc_channel *grpcc_channel_from_fd(int fd, const struct grpcc_channel_options *options);

/* "unix:/path", "unix-abstract:name", "dns:///host:port", … without TLS; connects when first used
 * and again when lost. */
struct grpcc_channel *grpcc_channel_new(const char *target,
                                        const struct grpcc_channel_options *options);

/* After every call on it is over. NULL is fine. */
void grpcc_channel_free(struct grpcc_channel *channel);

struct grpcc_call_options {
    /* Deadline from now; 0: none. Past it the call ends with DEADLINE_EXCEEDED. */
    int64_t timeout_ms;
    /* Headers to send, borrowed while the call is started. One that HTTP/2 forbids (upper case in
     * the key, control bytes in a text value) makes the call fail with INTERNAL. */
    const struct grpcc_metadata *metadata;
    size_t metadata_count;
    /* May be NULL: run for every header and every trailer of the server, before on_status, on_reply
     * or the return of a blocking call. */
    void (*on_metadata)(const struct grpcc_metadata *entry, bool trailing, void *data);
    void *on_metadata_data;
};

/* Blocks until the answer; from any thread. 0 and *response (the caller frees it with
 * protobuf_c_message_free_unpacked(*response, NULL)), or -1 and *status (the caller frees it;
 * `status` may be NULL). `options` may be NULL. */
int grpcc_call_blocking(struct grpcc_channel *channel, const struct grpcc_method *method,
                        const ProtobufCMessage *request, const struct grpcc_call_options *options,
                        ProtobufCMessage **response, struct grpcc_status **status);

/* The same without blocking: `on_reply` is run once; exactly one of response (borrowed) and status
 * (borrowed, not OK) is set. */
typedef void grpcc_on_reply(const ProtobufCMessage *response, const struct grpcc_status *status,
                            void *data);
struct grpcc_client_call;
struct grpcc_client_call *grpcc_call_start(struct grpcc_channel *channel, struct grpcc_queue *queue,
                                           const struct grpcc_method *method,
                                           const ProtobufCMessage *request,
                                           const struct grpcc_call_options *options,
                                           grpcc_on_reply *on_reply, void *data);
/* Only until on_reply was run. It then runs with CANCELLED, unless the answer was there first. */
void grpcc_call_cancel(struct grpcc_client_call *call);

/* ---- streams, client side ---- */

/* Opens a stream; `options` may be NULL. The call goes out with the first write, read or
 * half-close. `on_status` (may be NULL) is the very last callback; its status is borrowed, and code
 * 0 is OK. After it the stream is gone. It comes once the server has ended the call and all
 * messages were read, or the call is broken; pending reads and writes complete before it. A message
 * that doesn't pass the wire check cancels the call, and the status is INTERNAL. */
typedef void grpcc_on_status(struct grpcc_stream *stream, const struct grpcc_status *status,
                             void *data);
struct grpcc_stream *grpcc_stream_open(struct grpcc_channel *channel, struct grpcc_queue *queue,
                                       const struct grpcc_method *method,
                                       const struct grpcc_call_options *options,
                                       grpcc_on_status *on_status, void *data);

/* For server streaming: the same with the one request and half-close. */
struct grpcc_stream *grpcc_stream_open_with(struct grpcc_channel *channel,
                                            struct grpcc_queue *queue,
                                            const struct grpcc_method *method,
                                            const ProtobufCMessage *request,
                                            const struct grpcc_call_options *options,
                                            grpcc_on_status *on_status, void *data);

/* No more writes. Waits for a pending one by itself. */
void grpcc_stream_half_close(struct grpcc_stream *stream);

/* May be called any time before on_status was run, which then gets CANCELLED unless the server's
 * status was there first. */
void grpcc_stream_cancel(struct grpcc_stream *stream);

#ifdef __cplusplus
}
#endif

#endif
