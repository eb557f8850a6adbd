/* The seccomp filter of every sandbox: an allow list by group (seccomp_sets.c), compiled when heel
 * is built. */
#ifndef HEEL_BACKENDS_LINUX_SECCOMP_H
#define HEEL_BACKENDS_LINUX_SECCOMP_H

#include "base/error.h"

/* Loads it for this thread and all that it forks. It needs no_new_privs. 0, or -1 and *err. */
int heel_seccomp_load(struct heel_error **err);

/* The same for what a sandbox without namespaces is refused besides (seccomp_bare_sets.c). */
int heel_seccomp_load_bare(struct heel_error **err);

/* The same where nothing that is written may be executed (seccomp_write_xor_execute.c). */
int heel_seccomp_load_write_xor_execute(struct heel_error **err);

#endif
