/* A gRPC stream attached to a process: Exec's and Attach's alike, which only differ in how they
 * begin, in what the end of the stream means, and in the messages that wrap what is said. */
#ifndef HEEL_SERVER_PROCESS_STREAM_H
#define HEEL_SERVER_PROCESS_STREAM_H

#include "proto/runtime/grpcc.h"
#include "server/process.h"
#include "server/turns.h"

struct process_stream;

/* What a client says. */
struct process_request {
    enum {
        PROCESS_REQUEST_START,
        PROCESS_REQUEST_STDIN,
        PROCESS_REQUEST_CLOSE_STDIN,
        PROCESS_REQUEST_SIGNAL,
        PROCESS_REQUEST_RESIZE,
        PROCESS_REQUEST_UNKNOWN,
    } kind;
    ProtobufCBinaryData bytes;              /* STDIN */
    const Heel__V1__SendSignal *signal;     /* SIGNAL */
    const Heel__V1__ResizeTerminal *resize; /* RESIZE */
};

/* One of the two RPCs. */
struct process_stream_kind {
    const char *name; /* "Exec" */
    struct process_request (*read)(const ProtobufCMessage *message);
    /* `payload` is the message of the response's member `which`, one of
     * HEEL__V1__EXEC_RESPONSE__MESSAGE_…: both responses number theirs alike. */
    void (*write)(struct grpcc_stream *stream, int which, void *payload,
                  grpcc_on_written *on_written);
    /* Acts on the first message: process_stream_attach() follows, now or later, or
     * process_stream_fail() later. 0, or -1 and *err. */
    int (*start)(struct process_stream *self, const ProtobufCMessage *message,
                 struct heel_error **err);
    /* The process is over and all of its output sent, or nobody is there to take it. Puts the rest
     * in order and calls process_stream_end(), now or later; once. */
    void (*over)(struct process_stream *self);
    void (*free)(struct process_stream *self);
};

/* Embedded in what each of them has besides. */
struct process_stream {
    const struct process_stream_kind *kind;
    struct caller *caller;       /* borrowed */
    struct grpcc_stream *stream; /* ours until finished */
    struct process_reader reader;
    struct turn turn; /* at writing output */
    struct grpcc_status
        *refusal; /* owned; the client broke the protocol: what it is told at the end
                   */
    Heel__V1__ActingFiles *acting_files; /* owned; told with the end, or NULL */
    uint64_t stdin_told;                 /* the last StdinTaken.offset sent */
    bool admitted;                       /* it counts as a stream of its caller */
    bool accepted;                       /* a valid start came */
    bool reading;                        /* a read is outstanding */
    bool writing;                        /* a write is outstanding */
    bool started_told;
    bool over; /* kind->over was called */
    bool finished;
};

/* Begins to read; `self` is zeroed. */
void process_stream_open(struct process_stream *self, const struct process_stream_kind *kind,
                         struct grpcc_stream *stream, struct caller *caller);

/* Attaches self->reader, in which the offsets and `required` are set. 0, or -1 and *err. */
int process_stream_attach(struct process_stream *self, struct server_process *process,
                          struct heel_error **err);

/* Ends a stream that was not attached. */
void process_stream_fail(struct process_stream *self, const struct heel_error *error);
void process_stream_give_up(struct process_stream *self);

bool process_stream_is_cancelled(const struct process_stream *self);

/* Says how the process ended, or what the client did wrong, and ends the stream. */
void process_stream_end(struct process_stream *self);

#endif
