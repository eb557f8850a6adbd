/* Which server a verb speaks to. */
#ifndef HEEL_CLI_CONNECT_H
#define HEEL_CLI_CONNECT_H

#include "clients/c/cli/cli.h"

/* What a verb takes where no server was named and none listens on the default socket. */
enum cli_need {
    CLI_NEEDS_ANY,     /* one inside this process will do */
    CLI_NEEDS_BRIEF,   /* the same, and for one sandbox only */
    CLI_NEEDS_LASTING, /* one that is started for this and goes on after it */
};

/* 0 and *client, or -1 and *err. */
int cli_connect(const struct cli_options *options, enum cli_need need, struct heel_client **client,
                struct heel_error **err);

/* Always the one inside this process; `brief`: for one sandbox only. */
int cli_connect_private(const struct cli_options *options, bool brief, struct heel_client **client,
                        struct heel_error **err);

/* Closes the client and ends the server inside this process, if there is one. */
void cli_disconnect(struct heel_client *client);

#endif
