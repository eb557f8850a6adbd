/* A login to this machine through OpenSSH, with keys that live as long as it does: what a terminal
 * over the network is mostly made of today. */
#ifndef HEEL_TESTS_BENCH_SSH_PEER_H
#define HEEL_TESTS_BENCH_SSH_PEER_H

#include "base/error.h"

struct ssh_peer;

/* Makes `folder`, keys in it, and an authenticated connection as the current user, which sessions
 * share (ControlMaster). The server is a child of the client's (sshd -i), so that nothing listens.
 * NULL and *err, also where the programs are not installed. */
struct ssh_peer *ssh_peer_open(const char *folder, struct heel_error **err);

/* The command line of a session with a terminal, in which the shell runs `script`. Borrowed until
 * the next call. */
const char *const *ssh_peer_session(struct ssh_peer *peer, const char *script);

/* Ends the connection. NULL is fine. */
void ssh_peer_close(struct ssh_peer *peer);

HEEL_DEFINE_AUTOFREE(ssh_peer, struct ssh_peer, ssh_peer_close);
#define autossh HEEL_AUTOFREE(ssh_peer)

#endif
