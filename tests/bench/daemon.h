/* A heeld of the benches' own. */
#ifndef HEEL_TESTS_BENCH_DAEMON_H
#define HEEL_TESTS_BENCH_DAEMON_H

#include <sys/types.h>

#include "base/error.h"

struct daemon {
    pid_t pid;
    double start_ms; /* from before it was spawned until it said that it is ready */
    char *folder;    /* owned; what follows lies in it */
    char *socket;    /* owned; a path */
    char *state_dir; /* owned */
};

/* Starts `heeld`, a path, with everything of its own in the new folder `folder`, and waits until it
 * takes connections. NULL and *err if it doesn't. */
struct daemon *daemon_start(const char *heeld, const char *folder, struct heel_error **err);

/* Ends it and waits for that; what it leaves in its folder is the caller's to remove. NULL is fine.
 */
void daemon_stop(struct daemon *daemon);

/* How many files and folders lie in its state directory, at any depth. */
size_t daemon_count_state(const struct daemon *daemon);

HEEL_DEFINE_AUTOFREE(daemon, struct daemon, daemon_stop);
#define autodaemon HEEL_AUTOFREE(daemon)

#endif
