/* Tells whoever started heeld that it takes connections. */
#ifndef HEEL_SERVER_READY_H
#define HEEL_SERVER_READY_H

/* A newline to `ready_fd` (closed afterwards; negative: none), and READY=1 to the socket in
 * NOTIFY_SOCKET (sd_notify(3)), if there is one. */
void ready_announce(int ready_fd);

/* STOPPING=1 to the same socket. */
void ready_announce_stopping(void);

#endif
