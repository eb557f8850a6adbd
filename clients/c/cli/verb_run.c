/* run and exec: the two that are a command. */
#include "clients/c/cli/command_session.h"
#include "clients/c/cli/spec.h"

int cli_run(const struct cli_options *options, struct heel_error **err)
{
    return cli_command_session_run(options, CLI_NEEDS_BRIEF, NULL, cli_arguments(options, 0), err);
}

int cli_exec(const struct cli_options *options, struct heel_error **err)
{
    return cli_command_session_run(options, CLI_NEEDS_LASTING, options->arguments[0],
                                   cli_arguments(options, 1), err);
}
