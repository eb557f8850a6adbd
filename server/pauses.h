/* Pausing and resuming: one backend operation at a time per sandbox, with the calls that wait for
 * it. */
#ifndef HEEL_SERVER_PAUSES_H
#define HEEL_SERVER_PAUSES_H

#include <stdbool.h>

#include "backends/backend.h"
#include "base/error.h"

struct pause_waiter;
struct server_sandbox;

/* Of one sandbox; zeroed is running. */
struct pauses {
    bool paused; /* stands still, or is being made to: no command can be started */
    bool busy;   /* the backend is at it */
    enum heel_pause_mechanism mechanism; /* how it stands still; NONE: it doesn't yet */
    struct pause_waiter *first;          /* owned; served one after the other */
};

/* `error` (borrowed) is NULL when the sandbox is as it was asked to be. */
typedef void pauses_on_set(struct server_sandbox *sandbox, const struct heel_error *error,
                           void *data);

/* Pauses or resumes a READY sandbox; on_set is run once, perhaps from inside. */
void pauses_set(struct server_sandbox *sandbox, bool pause, pauses_on_set *on_set, void *data);

/* The sandbox is being deleted: everybody who waits is told. */
void pauses_abort(struct server_sandbox *sandbox);

#endif
