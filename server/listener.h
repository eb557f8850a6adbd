/* A Unix socket that heeld listens on. */
#ifndef HEEL_SERVER_LISTENER_H
#define HEEL_SERVER_LISTENER_H

#include <sys/stat.h>
#include <uv.h>

#include "base/error.h"

struct server_core;

struct listener {
    struct server_core *core; /* borrowed */
    char *path;               /* owned */
    int fd;                   /* owned */
    int lock_fd;              /* owned; held as long as the socket is ours */
    struct stat socket;       /* of the file, to remove no other */
    uv_poll_t poll;
    uv_timer_t pause;
    unsigned open_handles; /* while closing */
};

/* Binds and listens, mode 0600. A socket that nobody answers on any more is taken over; a live one
 * is refused with ALREADY_EXISTS. NULL and *err on failure. */
struct listener *listener_open(const char *path, struct heel_error **err);

/* Accepts on the core's loop from now on. */
void listener_start(struct listener *listener, struct server_core *core);

/* Stops, removes the socket, and frees the listener once its handles are closed. */
void listener_close(struct listener *listener);

#endif
