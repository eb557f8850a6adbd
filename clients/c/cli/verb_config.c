/* What the configuration file says, and which file that is. */
#include "clients/c/cli/config.h"
#include "clients/c/cli/report.h"
#include "proto/runtime/json.h"

/* In JSON a member, otherwise a line for each setting; wrong ones are told of in either. */
static int append_profile(struct config *config, size_t index, bool json, struct heel_buffer *to,
                          struct heel_error **err)
{
    const char *name;
    yaml_node_t *profile = config_profile_at(config, index, &name);
    ProtobufCMessage *spec = config_profile_spec(config, name, profile, err);

    if (!spec)
        return -1;
    if (json) {
        heel_buffer_append_text(to, index ? "," : "");
        grpcc_json_print_string(name, strlen(name), to);
        heel_buffer_append_text(to, ":");
        grpcc_json_print(spec, NULL, to);
    } else {
        heel_autofree char *shown = cli_escaped(name);

        heel_buffer_printf(to, "profile %s  [line %zu]\n", shown, profile->start_mark.line + 1);
        config_describe(config, profile, shown, to);
    }
    protobuf_c_message_free_unpacked(spec, NULL);
    return 0;
}

static void append_file(const struct config *config, bool json, struct heel_buffer *to)
{
    heel_autofree char *path = cli_escaped(config->path);

    if (!json) {
        heel_buffer_printf(to, "%s  [by %s]%s\n", path, config->origin,
                           config->found ? "" : ": not there");
        return;
    }
    heel_buffer_append_text(to, "{\"file\":");
    grpcc_json_print_string(config->path, strlen(config->path), to);
    heel_buffer_printf(to, ",\"origin\":\"%s\",\"found\":%s,\"profiles\":{", config->origin,
                       config->found ? "true" : "false");
}

int cli_config(const struct cli_options *options, struct heel_error **err)
{
    heel_autobuffer struct heel_buffer to = {0};
    struct config config;
    int result = 0;

    if (config_read(options, &config, err))
        return -1;
    append_file(&config, options->json, &to);
    for (size_t i = 0; i < config_profile_count(&config) && !result; i++)
        result = append_profile(&config, i, options->json, &to, err);
    heel_buffer_append_text(&to, options->json ? "}}" : "");
    config_clear(&config);
    return result ? -1 : cli_print(heel_steal(to.data), err);
}
