/* The server inside heelcli. Everything that heelcli knows of server/ stands behind this header,
 * apart from libheel's, whose names are another world's. */
#ifndef HEEL_CLI_PRIVATE_SERVER_H
#define HEEL_CLI_PRIVATE_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Forks the launcher: before there is a second thread, so before anything of gRPC. `brief`: for one
 * sandbox and no more. `namespaces`: as heeld's option has it; NULL: its default. 0, or -1 and
 * *err. */
int private_server_prepare(bool brief, const char *namespaces, struct heel_error **err);

/* Starts the prepared server. 0 and *fd, a connection to it that the caller owns, or -1 and *err.
 */
int private_server_connect(int *fd, struct heel_error **err);

/* Why the server could not be made, where its connection was closed; NULL if it was. Borrowed. */
const struct heel_error *private_server_error(void);

/* Before _exit(), once the one sandbox of a brief server is gone; nothing if there is no server. */
void private_server_leave(void);

/* Kills and removes what is left of its sandboxes; nothing if there is no server. */
void private_server_stop(void);

/* One thing that this host has or lacks; strings live as long as the server. */
struct private_server_check {
    const char *name;
    bool required; /* no sandbox is made without it */
    bool passed;
    const char *have;
    const char *need;
    const char *remedy;
};

/* Whether sandboxes can be made here at all. Of a started server, as are the next three. */
bool private_server_is_supported(void);

/* Whether they have namespaces of their own. */
bool private_server_has_namespaces(void);

/* How many checks there are, and one of them. */
size_t private_server_check_count(void);
struct private_server_check private_server_check(size_t index);

#endif
