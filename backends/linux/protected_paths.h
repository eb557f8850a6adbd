/* The paths that heel protects, as data: what each group hides and why. */
#ifndef HEEL_BACKENDS_LINUX_PROTECTED_PATHS_H
#define HEEL_BACKENDS_LINUX_PROTECTED_PATHS_H

#include <stddef.h>

enum heel_protected_group {
    HEEL_PROTECTED_CREDENTIALS,
    HEEL_PROTECTED_CLOUD,
    HEEL_PROTECTED_BROWSER,
    HEEL_PROTECTED_KEYCHAIN,
    HEEL_PROTECTED_HISTORY,
    HEEL_PROTECTED_PACKAGES,
    HEEL_PROTECTED_PERSONAL, /* other data of a user that lies outside its home */
    HEEL_PROTECTED_SERVICES, /* sockets and data of services that act for whoever connects */
};

struct heel_protected_path {
    enum heel_protected_group group;
    const char *path;     /* relative: below every home; absolute: itself */
    const char *variable; /* where the user may have moved it to, or NULL */
    const char *suffix;   /* what of the variable's directory is meant, or NULL: itself */
    const char *reason;
};

extern const struct heel_protected_path heel_protected_paths[];
extern const size_t heel_protected_path_count;

/* "protection: cloud config" and so on; static. */
const char *heel_protected_group_origin(enum heel_protected_group group);

#endif
