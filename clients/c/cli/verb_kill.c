#include "base/text.h"
#include "clients/c/cli/connect.h"
#include "clients/c/cli/report.h"

int cli_kill(const struct cli_options *options, struct heel_error **err)
{
    const char *name = options->signal_name ? options->signal_name : "TERM";
    struct heel_client *client;
    int result;

    if (cli_connect(options, CLI_NEEDS_LASTING, &client, err))
        return -1;
    result = heel_process_signal(client, options->arguments[0], options->arguments[1], name,
                                 options->scope, NULL, err);
    if (!result && options->json)
        result = cli_print(heel_xstrdup("{}"), err);
    cli_disconnect(client);
    return result;
}
