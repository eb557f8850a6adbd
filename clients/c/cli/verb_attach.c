#include <unistd.h>

#include "clients/c/cli/command_session.h"
#include "clients/c/cli/session.h"

#define DETACH_KEYS "ctrl-p,ctrl-q"

/* A screen is drawn anew for whoever comes; other output begins here and now, or where it is asked
 * for. */
static int attach(struct heel_client *client, const struct cli_options *options,
                  const struct heel_process_info *process, struct heel_error **err)
{
    const struct cli_session session = {
        .target = heel_in_sandbox(process->sandbox_id),
        .process_id = process->id,
        .attach = {HEEL_INIT(heel_attach), .output_offset = options->output_offset,
                   .errors_offset = options->errors_offset, .required = true,
                   .from_end = !options->has_offset},
        .detach_keys = options->detach_keys ? options->detach_keys : DETACH_KEYS,
        .json = options->json,
        .show_denials = cli_shows_denials(options),
    };
    bool here = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !options->json;
    bool exited;

    return process->terminal && here ? cli_terminal_session_run(client, &session, &exited, err)
                                     : cli_session_run(client, &session, &exited, err);
}

int cli_attach(const struct cli_options *options, struct heel_error **err)
{
    struct heel_process_info *process;
    struct heel_client *client;
    int code;

    if (cli_connect(options, CLI_NEEDS_LASTING, &client, err))
        return -1;
    code =
        heel_process_get(client, options->arguments[0], options->arguments[1], NULL, &process, err);
    if (!code) {
        code = attach(client, options, process, err);
        heel_process_info_free(process);
    }
    if (code >= 0)
        _exit(code); /* nobody waits for gRPC to put its things away */
    cli_disconnect(client);
    return code;
}
