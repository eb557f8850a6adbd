/* A private server inside the caller's own process: no daemon, no socket file, gone with its
 * caller. For programs that own their main(): the launcher is forked from them and must be, while
 * they have one thread. */
#ifndef HEEL_SERVER_EMBEDDED_H
#define HEEL_SERVER_EMBEDDED_H

#include <stdbool.h>

#include "backends/backend.h"
#include "base/error.h"

struct heel_embedded;

/* Forks the launcher, which begins its work at once. First thing in main(): with one thread, before
 * grpcc_init(). `brief` promises that one sandbox is all: nothing is made ahead for a second one,
 * and the host isn't tried out before, since making that one tells as much (so heel_embedded_host()
 * knows less). NULL and *err on failure. */
struct heel_embedded *heel_embedded_prepare(bool brief, enum heel_namespaces namespaces,
                                            struct heel_error **err);

/* Starts the server's thread and returns the client's end of a connection to it, which is the
 * caller's to close. Once. -1 and *err on failure; a server that can't be made shows as a
 * connection that is closed, and heel_embedded_error() tells why. */
int heel_embedded_connect(struct heel_embedded *embedded, struct heel_error **err);

/* What the host gives; waits until the server knows. NULL if it couldn't be made. Borrowed. */
const struct heel_host_info *heel_embedded_host(struct heel_embedded *embedded);

/* Why the server couldn't be made; NULL if it was, or isn't yet. Borrowed. */
const struct heel_error *heel_embedded_error(struct heel_embedded *embedded);

/* For a program that is about to _exit() once its one sandbox is gone: waits for the launcher of a
 * brief server, which leaves by itself then, so that nobody inherits a zombie. NULL is fine. */
void heel_embedded_leave(struct heel_embedded *embedded);

/* Kills and removes everything of it and waits for that. NULL is fine. */
void heel_embedded_stop(struct heel_embedded *embedded);

#endif
