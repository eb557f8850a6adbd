/* What the verbs that are a command have in common. */
#ifndef HEEL_CLI_COMMAND_SESSION_H
#define HEEL_CLI_COMMAND_SESSION_H

#include "clients/c/cli/connect.h"

/* Connects, and runs the command in the sandbox of this id, or in a new one of the flags where that
 * is NULL. The exit code of the verb, or -1 and *err. May end this process itself. */
int cli_command_session_run(const struct cli_options *options, enum cli_need need,
                            const char *sandbox_id, const char *const *argv,
                            struct heel_error **err);

/* 0 where standard input and output are a terminal, else -1 and *err. */
int cli_command_session_check_terminal(const struct cli_options *options, struct heel_error **err);

#endif
