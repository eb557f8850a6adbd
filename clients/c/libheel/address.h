/* Where servers listen. */
#ifndef HEEL_LIBHEEL_ADDRESS_H
#define HEEL_LIBHEEL_ADDRESS_H

#include <stdbool.h>

#include "base/error.h"

/* The default socket, heeld.sock in heel_runtime_dir(). The caller frees it. */
char *address_default_socket(void);

/* The path of the socket that `address` names: "unix:PATH", "unix://PATH" or a path with a slash in
 * it. 0 and *path, the caller's to free, or -1 and *err (INVALID_ARGUMENT). */
int address_parse(const char *address, char **path, struct heel_error **err);

/* Connects to the socket at `path`, however long that is. With `own_only` its folder and the server
 * must belong to the user or to root: in /tmp anybody could have put them there. 0 and *fd, or -1
 * and *err: UNAVAILABLE where nobody listens. */
int address_connect(const char *path, bool own_only, int *fd, struct heel_error **err);

#endif
