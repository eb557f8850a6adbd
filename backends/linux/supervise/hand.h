/* A hand of a sandbox; see hand.c. */
#ifndef HEEL_BACKENDS_LINUX_SUPERVISE_HAND_H
#define HEEL_BACKENDS_LINUX_SUPERVISE_HAND_H

#include "backends/linux/seccomp/seccomp.h"

struct heel_hand_start {
    int socket; /* heeld is at the other end */
    int proc;   /* the sandbox's /proc */
    struct heel_seccomp_pass pass;
};

/* A hand's program, in a process forked by init. */
_Noreturn void heel_hand_run(const struct heel_hand_start *start);

#endif
