/* For tests: mechanisms that heel acts as if this kernel had not. What is left out is really not
 * used, so that the report can be held against it. Set once, before the launcher is forked. */
#ifndef HEEL_BACKENDS_LINUX_KERNEL_WITHOUT_H
#define HEEL_BACKENDS_LINUX_KERNEL_WITHOUT_H

#include <stdbool.h>

#include "base/error.h"

enum heel_mechanism {
    HEEL_MECHANISM_USER_NAMESPACES, /* "userns" */
    HEEL_MECHANISM_PID_NAMESPACES,  /* "pidns" */
    HEEL_MECHANISM_SECCOMP,         /* "seccomp": no filter is loaded */
    HEEL_MECHANISM_LISTENER,        /* "listener": no filter gets a listener */
};

/* From a list as in "userns,landlock-abi=4"; NULL leaves nothing out. 0, or -1 and *err. */
int heel_without_set(const char *list, struct heel_error **err);

bool heel_is_without(enum heel_mechanism mechanism);
/* The ABI of Landlock that is used where the kernel has `abi`. */
unsigned heel_without_landlock_above(unsigned abi);

#endif
