/* pause and resume. */
#include "clients/c/cli/connect.h"
#include "clients/c/cli/report.h"

typedef int pausing(struct heel_client *client, const char *id, const struct heel_call *call,
                    struct heel_sandbox_info **sandbox, struct heel_error **error);

static int apply(const struct cli_options *options, pausing *change, struct heel_error **err)
{
    struct heel_sandbox_info *sandbox;
    struct heel_client *client;
    int result;

    if (cli_connect(options, CLI_NEEDS_LASTING, &client, err))
        return -1;
    result = change(client, options->arguments[0], NULL, &sandbox, err);
    if (!result && options->json)
        result = cli_print(heel_sandbox_info_json(sandbox, 2), err);
    if (!result)
        heel_sandbox_info_free(sandbox);
    cli_disconnect(client);
    return result;
}

int cli_pause(const struct cli_options *options, struct heel_error **err)
{
    return apply(options, heel_sandbox_pause, err);
}

int cli_resume(const struct cli_options *options, struct heel_error **err)
{
    return apply(options, heel_sandbox_resume, err);
}
