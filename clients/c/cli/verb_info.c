#include "clients/c/cli/connect.h"
#include "clients/c/cli/report.h"
#include "clients/c/cli/table.h"

static char *describe(const struct heel_server_info *info)
{
    struct heel_buffer to = {0};

    heel_buffer_printf(&to, "heeld %s, backend %s, kernel %s, Landlock ABI %u\n", info->version,
                       info->backend, info->kernel_release, info->landlock_abi);
    heel_buffer_printf(&to, "default level %s, %s namespaces\n",
                       heel_level_name(info->default_level), info->namespaces ? "with" : "without");
    heel_buffer_printf(&to,
                       "at most %u sandboxes (%u of one caller), %u commands (%u of one caller)\n",
                       info->max_sandboxes, info->max_sandboxes_per_caller, info->max_processes,
                       info->max_processes_per_caller);
    heel_buffer_append_text(&to, "features:");
    for (size_t i = 0; i < info->feature_count; i++)
        heel_buffer_printf(&to, " %s", info->features[i]);
    heel_buffer_append_text(&to, "\n\n");
    table_print_enforcement(info->protections, info->protection_count, &to);
    return to.data;
}

int cli_info(const struct cli_options *options, struct heel_error **err)
{
    struct heel_server_info *info;
    struct heel_client *client;
    int result;

    if (cli_connect(options, CLI_NEEDS_ANY, &client, err))
        return -1;
    result = heel_server_info_get(client, NULL, &info, err);
    if (!result) {
        result = cli_print(options->json ? heel_server_info_json(info, 2) : describe(info), err);
        heel_server_info_free(info);
    }
    cli_disconnect(client);
    return result;
}
