#include "clients/c/cli/connect.h"
#include "clients/c/cli/session.h"

static int print_output(struct heel_client *client, const struct cli_options *options,
                        const struct heel_process_info *process, struct heel_error **err)
{
    const struct cli_session session = {
        .target = heel_in_sandbox(process->sandbox_id),
        .process_id = process->id,
        .attach = {HEEL_INIT(heel_attach), .output_offset = options->output_offset,
                   .errors_offset = options->errors_offset},
        .watches = true,
        .as_of = options->follow.on ? NULL : process,
        .json = options->json,
    };
    bool exited;

    return cli_session_run(client, &session, &exited, err);
}

int cli_logs(const struct cli_options *options, struct heel_error **err)
{
    struct heel_process_info *process;
    struct heel_client *client;
    int result;

    if (cli_connect(options, CLI_NEEDS_LASTING, &client, err))
        return -1;
    result =
        heel_process_get(client, options->arguments[0], options->arguments[1], NULL, &process, err);
    if (!result) {
        result = print_output(client, options, process, err);
        heel_process_info_free(process);
    }
    cli_disconnect(client);
    return result;
}
