/* The flags of sandboxes that last, by which they are made, found and deleted. */
#include "clients/c/cli/flag_values.h"
#include "clients/c/cli/flags.h"

static int parse_id(struct cli_options *options, const char *value, struct heel_error **err)
{
    return cli_parse_text(value, "id", &options->id, err);
}

static int parse_label(struct cli_options *options, const char *value, struct heel_error **err)
{
    return cli_parse_pair(&options->labels, value, "\"%s\" is not of the form KEY=VALUE", err);
}

static int parse_ttl(struct cli_options *options, const char *value, struct heel_error **err)
{
    return cli_parse_duration(value, &options->ttl_ms, err);
}

static int parse_idle_ttl(struct cli_options *options, const char *value, struct heel_error **err)
{
    return cli_parse_duration(value, &options->idle_ttl_ms, err);
}

const struct cli_flag cli_create_flags[] = {
    {"id", "ID", "its id; with one of your own a repeated create finds the first one's sandbox",
     "--id build-7", .parse = parse_id},
    {"label", "KEY=VALUE", "a label to find it by; may be repeated", "--label job=42",
     .parse = parse_label},
    {"ttl", "DURATION", "delete it this long after its creation", "--ttl 1h", .parse = parse_ttl},
    {"idle-ttl", "DURATION", "delete it when no command has run in it for this long",
     "--idle-ttl 10m", .parse = parse_idle_ttl},
    {0},
};

const struct cli_flag cli_list_flags[] = {
    {"label", "KEY=VALUE", "only sandboxes with this label; may be repeated", "--label job=42",
     .parse = parse_label},
    {0},
};

const struct cli_flag cli_delete_flags[] = {
    {"allow-missing", NULL, "a sandbox that isn't there is no error", "--allow-missing",
     CLI_BOOLEAN(allow_missing)},
    {0},
};
