#include "clients/c/cli/connect.h"
#include "clients/c/cli/exit_code.h"
#include "clients/c/cli/report.h"

static int tell(const struct heel_process_info *process, const struct cli_options *options,
                struct heel_error **err)
{
    const char *message = cli_exit_message(&process->status);

    if (options->json && cli_print(heel_process_info_json(process, 2), err))
        return -1;
    if (!options->json && message)
        cli_note("%s", message);
    return cli_exit_code(&process->status);
}

int cli_wait(const struct cli_options *options, struct heel_error **err)
{
    struct heel_process_info *process;
    struct heel_client *client;
    int code;

    if (cli_connect(options, CLI_NEEDS_LASTING, &client, err))
        return -1;
    code = heel_process_wait(client, options->arguments[0], options->arguments[1], NULL, &process,
                             err);
    if (!code) {
        code = tell(process, options, err);
        heel_process_info_free(process);
    }
    cli_disconnect(client);
    return code;
}
