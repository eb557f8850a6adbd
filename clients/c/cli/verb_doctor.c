/* What this host has and lacks. Asks the server inside this process, so that it works where no
 * server can be started. */
#include <string.h>

#include "clients/c/cli/connect.h"
#include "clients/c/cli/private_server.h"
#include "clients/c/cli/report.h"
#include "clients/c/cli/table.h"
#include "proto/runtime/json.h"

static const char *mark(const struct private_server_check *check)
{
    if (check->passed)
        return "ok";
    return check->required ? "MISSING" : "lacking";
}

static void append_checks(struct heel_buffer *to)
{
    struct table table = {.columns = 4};

    for (size_t i = 0; i < private_server_check_count(); i++) {
        struct private_server_check check = private_server_check(i);
        heel_autofree char *need =
            check.passed ? heel_xstrdup("") : heel_format("needs %s", check.need);

        table_add(&table, mark(&check));
        table_add(&table, check.name);
        table_add(&table, check.have);
        table_add(&table, need);
    }
    table_print(&table, to);
}

static void append_remedies(struct heel_buffer *to)
{
    for (size_t i = 0; i < private_server_check_count(); i++) {
        struct private_server_check check = private_server_check(i);

        if (!check.passed && *check.remedy)
            heel_buffer_printf(to, "\n%s: %s", check.name, check.remedy);
    }
    heel_buffer_append_text(to, "\n");
}

static char *as_text(const struct heel_server_info *info, bool fit)
{
    struct heel_buffer to = {0};

    heel_buffer_printf(&to, "heel %s, kernel %s\n\n", info->version, info->kernel_release);
    append_checks(&to);
    heel_buffer_append_text(&to, "\n");
    table_print_enforcement(info->protections, info->protection_count, &to);
    append_remedies(&to);
    heel_buffer_append_text(&to, !fit ? "No sandbox can be made here."
                                 : private_server_has_namespaces()
                                     ? "Sandboxes can be made here."
                                     : "Sandboxes can be made here, without namespaces of their "
                                       "own: what that costs is DEGRADED above.");
    return to.data;
}

static void append_text(struct heel_buffer *to, const char *name, const char *value)
{
    heel_buffer_printf(to, ",\"%s\":", name);
    grpcc_json_print_string(value, strlen(value), to);
}

static void append_check_json(struct heel_buffer *to, const struct private_server_check *check)
{
    heel_buffer_printf(to, "{\"required\":%s,\"passed\":%s", check->required ? "true" : "false",
                       check->passed ? "true" : "false");
    append_text(to, "name", check->name);
    append_text(to, "have", check->have);
    append_text(to, "need", check->need);
    append_text(to, "remedy", check->remedy);
    heel_buffer_append_text(to, "}");
}

static char *as_json(const struct heel_server_info *info, bool fit)
{
    heel_autofree char *server = heel_server_info_json(info, 0);
    struct heel_buffer to = {0};

    heel_buffer_printf(&to, "{\"fit\":%s,\"namespaces\":%s,\"checks\":[", fit ? "true" : "false",
                       private_server_has_namespaces() ? "true" : "false");
    for (size_t i = 0; i < private_server_check_count(); i++) {
        struct private_server_check check = private_server_check(i);

        heel_buffer_append_text(&to, i ? "," : "");
        append_check_json(&to, &check);
    }
    heel_buffer_printf(&to, "],\"server\":%s}", server);
    return to.data;
}

int cli_doctor(const struct cli_options *options, struct heel_error **err)
{
    struct heel_server_info *info;
    struct heel_client *client;
    bool fit;
    int result;

    if (cli_connect_private(options, false, &client, err))
        return -1;
    fit = private_server_is_supported();
    result = heel_server_info_get(client, NULL, &info, err);
    if (!result) {
        result = cli_print(options->json ? as_json(info, fit) : as_text(info, fit), err);
        heel_server_info_free(info);
    }
    cli_disconnect(client);
    return result ? result : fit ? CLI_EXIT_OK : CLI_EXIT_FAILED;
}
