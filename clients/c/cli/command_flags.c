/* The flags of commands: what they get, where they start, how long they may take. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "clients/c/cli/flag_values.h"
#include "clients/c/cli/flags.h"

static int parse_env(struct cli_options *options, const char *value, struct heel_error **err)
{
    return cli_parse_pair(
        &options->variables, value,
        "\"%s\" is not of the form NAME=VALUE; --env-passthrough takes a name alone", err);
}

/* By name only: a pattern would let a secret through one day. */
static int parse_env_passthrough(struct cli_options *options, const char *value,
                                 struct heel_error **err)
{
    const char *own = getenv(value);

    if (!*value || strchr(value, '='))
        return cli_invalid(err, "\"%s\" is no name of a variable; --env takes NAME=VALUE", value);
    if (own)
        cli_pairs_set(&options->variables, heel_xstrdup(value), heel_xstrdup(own));
    return 0;
}

static int parse_timeout(struct cli_options *options, const char *value, struct heel_error **err)
{
    return cli_parse_duration(value, &options->timeout_ms, err);
}

static int parse_command_dir(struct cli_options *options, const char *value,
                             struct heel_error **err)
{
    if (*value != '/')
        return cli_invalid(err, "\"%s\" is not absolute: give the path as it is inside the sandbox",
                           value);
    options->command_dir = value;
    return 0;
}

#define COMMAND_FLAGS \
    {"env", "NAME=VALUE", "set a variable; may be repeated", "--env CI=1", .parse = parse_env}, \
        {"env-passthrough", "NAME", \
         "set a variable to the value it has here, if it has one; may be repeated", \
         "--env-passthrough TERM", .parse = parse_env_passthrough}, \
    { \
        "timeout", "DURATION", "kill a command and all that it started after this long", \
            "--timeout 5m", .parse = parse_timeout \
    }

const struct cli_flag cli_command_flags[] = {COMMAND_FLAGS, {0}};

const struct cli_flag cli_exec_flags[] = {
    {"working-dir", "PATH",
     "where the command starts, as seen inside; else the sandbox's working directory",
     "--working-dir /tmp", .parse = parse_command_dir},
    COMMAND_FLAGS,
    {0},
};
