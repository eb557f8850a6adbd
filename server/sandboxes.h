/* The sandboxes of a server: made, found, listed, expired and deleted. A state machine each:
 * CREATING → READY → DELETING, on the loop's thread. */
#ifndef HEEL_SERVER_SANDBOXES_H
#define HEEL_SERVER_SANDBOXES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "backends/backend.h"
#include "base/text.h"
#include "heel/v1/sandbox.pb-c.h"
#include "server/answers.h"
#include "server/pauses.h"

struct caller;
struct owner;
struct run;
struct sandbox_waiter;
struct server_command;
struct server_core;
struct server_process;

/* In the order of their start; see process.h. */
struct process_list {
    struct server_process *first, *last;
};

enum sandbox_state {
    SANDBOX_CREATING,
    SANDBOX_READY,
    SANDBOX_DELETING,
};

struct server_sandbox {
    struct server_sandbox *next; /* in the order of creation */
    struct server_sandbox *previous;
    struct server_core *core; /* borrowed */
    struct owner *owner;      /* borrowed */
    char *id;                 /* owned */
    uint64_t sequence;        /* of its creation; never used twice */
    enum sandbox_state state;
    bool id_chosen_here;  /* nobody knows it before the answer */
    bool private_to_call; /* made for one call: not listed, found or counted as activity of its own
                           */
    Heel__V1__SandboxSpec *spec;     /* owned; effective */
    struct heel_buffer canonical;    /* what was asked for, to recognise a retry */
    struct heel_sandbox *handle;     /* owned; NULL while CREATING */
    int64_t create_time_ms;          /* since the epoch */
    uint64_t created_at;             /* uv_now */
    uint64_t idle_since;             /* uv_now */
    uv_timer_t *expiry;              /* owned; NULL where nothing expires */
    struct server_command *commands; /* those that run, or whose end isn't told yet */
    uint64_t last_command;           /* sequence */
    struct process_list processes;   /* those of Exec and StartProcess that are kept */
    struct pauses pauses;
    unsigned running;
    struct run *runs; /* RunCommand calls under way, to join them by process id */
    struct answers answers;
    struct sandbox_waiter *creation_waiters; /* owned */
    struct sandbox_waiter *deletion_waiters; /* owned */
    bool delete_when_made;
    char *kept_dir; /* owned; while DELETING, where keep_working_dir leaves the files */
};

struct sandboxes {
    struct server_sandbox *first;
    struct server_sandbox *last;
    void *by_name;  /* tsearch(3) tree over (owner, id) */
    unsigned count; /* those that exist in any state */
    uint64_t next_sequence;
    void (*on_none_left)(struct server_core *core);
};

/* Exactly one of sandbox and error is set; the error is borrowed. */
typedef void sandbox_on_ready(struct server_sandbox *sandbox, const struct heel_error *error,
                              void *data);
/* How a sandbox ended; borrowed. */
struct sandbox_end {
    const struct heel_error *error;      /* what could not be removed, or NULL */
    const char *kept_dir;                /* "", or where keep_working_dir left the files */
    const struct heel_sandbox_end *left; /* NULL for one that never was */
};
typedef void sandbox_on_deleted(const struct sandbox_end *end, void *data);

/* Makes a sandbox for `caller`, or joins one with the same id and spec. `id` is checked, or "" for
 * one that is chosen here; `spec` is checked, or NULL. 0, and on_ready is run later (or from
 * inside, for one that is ready); or -1 and *err, and it is not. */
int sandboxes_create(struct caller *caller, const char *id, const Heel__V1__SandboxSpec *spec,
                     bool private_to_call, sandbox_on_ready *on_ready, void *data,
                     struct heel_error **err);

/* The caller's sandbox with this id in any state, or NULL and *err: NOT_FOUND, or INVALID_ARGUMENT
 * for what can't be an id. */
struct server_sandbox *sandboxes_find(struct caller *caller, const char *id,
                                      struct heel_error **err);

/* The same, READY; one in another state counts as not found. */
struct server_sandbox *sandboxes_find_ready(struct caller *caller, const char *id,
                                            struct heel_error **err);

/* Ends a sandbox, whatever its state; on_deleted (may be NULL) is run when nothing of it is left.
 * Safe to repeat. */
void sandboxes_delete(struct server_sandbox *sandbox, sandbox_on_deleted *on_deleted, void *data);

/* Has on_deleted run when the sandbox is gone, whoever deletes it. */
void sandboxes_when_deleted(struct server_sandbox *sandbox, sandbox_on_deleted *on_deleted,
                            void *data);

/* Deletes all; `on_none_left` is run when there is none (from inside, if there is none now). */
void sandboxes_delete_all(struct server_core *core, void (*on_none_left)(struct server_core *core));

/* To be called when a command began or ended, or when the lifetime in the spec changed. */
void sandboxes_update_expiry(struct server_sandbox *sandbox);

Heel__V1__SandboxState sandboxes_message_state(const struct server_sandbox *sandbox);

/* A new message that describes it. */
Heel__V1__Sandbox *sandboxes_describe(const struct server_sandbox *sandbox);

#endif
