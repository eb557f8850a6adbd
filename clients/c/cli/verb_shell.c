#include "clients/c/cli/command_session.h"

/* bash where there is one: its line editing is what people expect. */
static const char *const shell[] = {"/bin/sh", "-c",
                                    "command -v bash >/dev/null 2>&1 && exec bash; exec sh", NULL};

int cli_shell(const struct cli_options *given, struct heel_error **err)
{
    const char *sandbox_id = given->arguments[0];
    struct cli_options options = *given; /* shares what `given` owns */

    if (sandbox_id && options.spec_flag)
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                              "--%s says what a new sandbox is to be, and %s exists already",
                              options.spec_flag, sandbox_id);
    options.terminal.on = true;
    return cli_command_session_run(&options, sandbox_id ? CLI_NEEDS_LASTING : CLI_NEEDS_BRIEF,
                                   sandbox_id, shell, err);
}
