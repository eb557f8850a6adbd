/* The seccomp filter of every sandbox: an allow list by group (seccomp_sets.c), compiled when heel
 * is built. */
#ifndef HEEL_BACKENDS_LINUX_SECCOMP_SECCOMP_H
#define HEEL_BACKENDS_LINUX_SECCOMP_SECCOMP_H

#include <stdint.h>

#include "base/error.h"

/* Loads it for this thread and all that it forks. It needs no_new_privs. 0, or -1 and *err. */
int heel_seccomp_load(struct heel_error **err);

/* The same for what a sandbox without namespaces is refused besides (seccomp_bare_sets.c). */
int heel_seccomp_load_bare(struct heel_error **err);

/* The same where nothing that is written may be executed (seccomp_write_xor_execute.c). */
int heel_seccomp_load_write_xor_execute(struct heel_error **err);

/* A secret. A system call that carries it where it has no arguments is not supervised. */
struct heel_seccomp_pass {
    uint64_t words[2];
};

/* The same with supervision: of each connect() of theirs that doesn't carry the pass, which is made
 * here, the listener is asked, and while nobody reads there they wait. 0, the listener
 * (close-on-exec, the caller's) in *listener; or -1 and *err, EBUSY where a filter above this one
 * has a listener, and then nothing was loaded. */
int heel_seccomp_load_supervising(int *listener, struct heel_seccomp_pass *pass,
                                  struct heel_error **err);

/* connect() and socket() as who carries the pass. As libc's. */
int heel_seccomp_connect(const struct heel_seccomp_pass *pass, int socket, const void *address,
                         uint32_t length);
int heel_seccomp_socket(const struct heel_seccomp_pass *pass, int domain, int type, int protocol);

#endif
