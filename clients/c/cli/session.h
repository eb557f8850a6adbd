/* A command whose standard input, output and error are heelcli's own, and so are its signals and
 * its exit code. */
#ifndef HEEL_CLI_SESSION_H
#define HEEL_CLI_SESSION_H

#include "clients/c/cli/cli.h"

/* How a session tells what happened. */
struct cli_session_options {
    bool json;         /* standard output gets one ExecResponse a line instead */
    bool show_denials; /* a note for each */
};

/* Runs a command to its end. The exit code for heelcli, or -1 and *err. *exited tells whether the
 * server said how the command ended: then nothing of it is left, and the process can end without
 * closing anything. */
int cli_session_run(struct heel_client *client, struct heel_target target,
                    const struct heel_command *command, const struct cli_session_options *options,
                    bool *exited, struct heel_error **err);

#endif
