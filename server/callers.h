/* Who is connected. A call's caller is a fact of its connection: each distinct identity has a gRPC
 * server of its own on the shared queue, and a connection is handed to the server of the identity
 * that the kernel names for it. */
#ifndef HEEL_SERVER_CALLERS_H
#define HEEL_SERVER_CALLERS_H

#include "backends/backend.h"
#include "proto/runtime/grpcc.h"
#include "server/events.h"
#include "server/ring.h"
#include "server/turns.h"

/* The largest request that is taken; a larger one is RESOURCE_EXHAUSTED before it is allocated. */
#define CALLERS_MAX_REQUEST_BYTES (4u << 20)

struct server_core;

/* Sandboxes belong to a user id; quotas are counted by it. */
struct owner {
    struct owner *next;
    uid_t uid;
    unsigned sandboxes;
    unsigned processes;
    unsigned streams;
    struct ring_budget rings;
    struct events events;
};

/* One identity: what the service handlers get as their `service`. */
struct caller {
    struct caller *next;
    struct server_core *core;
    struct owner *owner;         /* borrowed from the core */
    struct heel_caller identity; /* groups are owned */
    struct grpcc_server *server; /* owned */
    struct turns turns;          /* of its processes' streams */
    bool drained;
};

/* The identity behind a connected Unix socket (SO_PEERCRED, SO_PEERGROUPS). 0, or -1 and *err.
 * groups are the caller's to free. */
int callers_identify(int fd, struct heel_caller *identity, struct heel_error **err);

/* Takes a connection over; on failure it is closed. */
void callers_add_connection(struct server_core *core, int fd);

/* Counts a stream, or a call that waits for something: 0, and the caller must call
 * callers_stream_over() at its end; or -1 and *err, RESOURCE_EXHAUSTED. */
int callers_admit_stream(struct caller *caller, struct heel_error **err);
void callers_stream_over(struct caller *caller);

/* Stops taking new calls on every connection; `on_drained` is run when the last call is over. */
void callers_drain(struct server_core *core, void (*on_drained)(struct server_core *core));

/* After callers_drain: cancels what still runs. */
void callers_cancel_all(struct server_core *core);

/* Only after on_drained. */
void callers_free(struct server_core *core);

#endif
