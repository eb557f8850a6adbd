/* A sandbox's init; see init.c. */
#ifndef HEEL_BACKENDS_LINUX_INIT_INIT_H
#define HEEL_BACKENDS_LINUX_INIT_INIT_H

#include <stddef.h>
#include <stdint.h>

struct heel_quotas;

/* What an init starts with, in the launcher's memory, of which it has a copy. */
struct heel_init_start {
    int control;          /* heeld is at the other end; -1 if it is still to come */
    int cradle;           /* through this socket of the launcher's, if `control` is -1 */
    const int *mount_fds; /* heel_confine_open_named's; NULL if there are none */
    size_t mount_count;
    const char *works;    /* not NULL: it is born in a copy of a template, whose working directories
                             lie    here */
    uint64_t fingerprint; /* of the template */
    const struct heel_quotas *quotas;
};

/* Pid 1's program, on a struct heel_init_start. Never returns. */
void heel_init_run(void *start);

#endif
