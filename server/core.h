/* What one server is: its loop, its queue, its backend, its callers and sandboxes. Everything here
 * is owned and touched by the loop's thread alone. */
#ifndef HEEL_SERVER_CORE_H
#define HEEL_SERVER_CORE_H

#include <uv.h>

#include "backends/backend.h"
#include "heel/v1/sandbox.pb-c.h"
#include "proto/runtime/grpcc.h"
#include "server/callers.h"
#include "server/ring.h"
#include "server/sandboxes.h"

#define HEEL_VERSION "0.1.0"

#define SERVER_DESCRIPTORS 48 /* to start with, and to run one command */

struct server_options {
    struct heel_backend_options backend;
    Heel__V1__IsolationLevel default_level;
    unsigned max_sandboxes;
    unsigned max_sandboxes_per_caller;
    unsigned max_processes;
    unsigned max_processes_per_caller;
    unsigned max_streams; /* open ones, and calls of WaitProcess */
    unsigned max_streams_per_caller;
    size_t max_ring_bytes; /* memory for the output that is kept of all processes */
    size_t max_ring_bytes_per_caller;
    int64_t grace_ms;     /* how long running calls may take to end after a drain began */
    int64_t idle_exit_ms; /* end after this long without sandboxes and commands; 0: never */
};

/* The defaults, backend paths aside. */
struct server_options server_default_options(void);

struct server_core {
    uv_loop_t *loop; /* borrowed */
    struct server_options options;
    struct grpcc_queue *queue; /* owned */
    uv_async_t wake;
    struct heel_backend *backend; /* owned */
    struct owner *owners;         /* owned */
    struct caller *callers;       /* owned */
    struct sandboxes sandboxes;
    struct health_watch *watches; /* open Watch streams; see health.h */
    unsigned processes;           /* commands that run now */
    unsigned streams;             /* see callers_admit_stream */
    struct ring_budget rings;
    uv_timer_t idle_timer;
    uv_timer_t grace_timer;
    bool draining;
    bool grace_over;       /* every sandbox is being deleted */
    bool closing;          /* no sandbox is left; gRPC drains */
    unsigned open_handles; /* while closing */
    void (*on_drained)(struct server_core *core);
    void (*on_closed)(struct server_core *core);
    void *data; /* the owner's */
};

/* Makes a server on `loop`; takes the launcher over. NULL and *err if it can't be made. */
struct server_core *server_open(uv_loop_t *loop, const struct server_options *options,
                                struct heel_launcher *launcher, struct heel_error **err);

/* Notify, grace, delete, drain, close: handlers refuse new work, running commands get
 * options.grace_ms, every sandbox is deleted, gRPC drains, the backend is closed. `on_closed` is
 * the last callback; the core is gone after it. Calling it again cuts the present step short. */
void server_shut_down(struct server_core *core, void (*on_closed)(struct server_core *core));

/* Says that something came or went, so that the idle timer starts over. */
void server_note_activity(struct server_core *core);

/* UNAVAILABLE with RetryInfo; for handlers when core->draining. Returns -1. */
int server_refuse_draining(struct heel_error **err);

/* How many there are of one kind of thing, and the most there may be. */
struct server_quota {
    const char *kind; /* as in "sandboxes" */
    unsigned of_all, max_of_all;
    unsigned of_caller, max_of_caller;
};

/* Whether one more may come: 0, or -1 and *err, RESOURCE_EXHAUSTED with RetryInfo. */
int server_admit(const struct server_quota *quota, struct heel_error **err);

#endif
