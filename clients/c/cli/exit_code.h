/* What heelcli exits with after a command. */
#ifndef HEEL_CLI_EXIT_CODE_H
#define HEEL_CLI_EXIT_CODE_H

#include "clients/c/libheel/heel/heel.h"

/* The command's own code, 128 + n for signal n, 124 after a timeout, 126 or 127 where it could not
 * be started, 125 where heel ended it. */
int cli_exit_code(const struct heel_exit_status *status);

/* What a person needs to be told about this end; NULL where the command can speak for itself.
 * Borrowed from `status`. */
const char *cli_exit_message(const struct heel_exit_status *status);

#endif
