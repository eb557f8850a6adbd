/* The seccomp filter of every sandbox: an allow list by group (seccomp_sets.c), compiled when heel
 * is built. */
#ifndef HEEL_BACKENDS_LINUX_SECCOMP_SECCOMP_H
#define HEEL_BACKENDS_LINUX_SECCOMP_SECCOMP_H

#include <stdint.h>

#include "base/error.h"

/* Loads it for this thread and all that it forks. It needs no_new_privs. 0, or -1 and *err. */
int heel_seccomp_load(struct heel_error **err);

/* Loads the additional filter of sandboxes without namespaces (seccomp_bare_sets.c). */
int heel_seccomp_load_bare(struct heel_error **err);

/* Loads the additional filter of sandboxes with write_xor_execute (seccomp_write_xor_execute.c). */
int heel_seccomp_load_write_xor_execute(struct heel_error **err);

/* A secret. A connect() that carries it in the argument registers that connect() doesn't use is not
 * supervised. */
struct heel_seccomp_pass {
    uint64_t words[2];
};

/* Like heel_seccomp_load(), with supervision: every connect() that doesn't carry the pass, which is
 * drawn here, waits until it is answered through the listener. 0, and *listener is close-on-exec
 * and the caller's; or -1 and *err, with nothing loaded: EBUSY where an outer filter has a
 * listener. */
int heel_seccomp_load_supervising(int *listener, struct heel_seccomp_pass *pass,
                                  struct heel_error **err);

/* connect(2) and socket(2), carrying the pass. */
int heel_seccomp_connect(const struct heel_seccomp_pass *pass, int socket, const void *address,
                         uint32_t length);
int heel_seccomp_socket(const struct heel_seccomp_pass *pass, int domain, int type, int protocol);

#endif
