/* The user's own heeld, started by the first verb that needs one that lasts. */
#ifndef HEEL_CLI_AUTOSTART_H
#define HEEL_CLI_AUTOSTART_H

#include "base/error.h"

/* Starts heeld on the default socket `path` (`namespaces`: its option, NULL for the default) and
 * connects to it; of several that try at once one
 * starts it and all connect. 0 and *fd, or -1 and *err. This process must have one thread only. */
int cli_autostart(const char *path, const char *namespaces, int *fd, struct heel_error **err);

/* heeld's program: $HEEL_HEELD, else heeld beside this program, else "heeld" to be found in PATH.
 * The caller frees it. */
char *cli_heeld_program(void);

#endif
