#include "base/text.h"
#include "clients/c/cli/connect.h"
#include "clients/c/cli/report.h"
#include "clients/c/cli/spec.h"

int cli_create(const struct cli_options *options, struct heel_error **err)
{
    struct heel_spec spec = cli_spec(options);
    struct heel_sandbox_info *sandbox;
    struct heel_client *client;
    int result;

    spec.variables = options->variables.items;
    spec.variable_count = options->variables.count;
    spec.wall_time_ms = options->timeout_ms;
    if (cli_connect(options, CLI_NEEDS_LASTING, &client, err))
        return -1;
    result = heel_sandbox_create(client, options->id, &spec, NULL, &sandbox, err);
    if (!result) {
        result = cli_print(
            options->json ? heel_sandbox_info_json(sandbox, 2) : heel_xstrdup(sandbox->id), err);
        heel_sandbox_info_free(sandbox);
    }
    cli_disconnect(client);
    return result;
}
