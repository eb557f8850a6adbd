/* The flags that most verbs share, and those of verbs that have few: which server, which
 * configuration, how to print. */
#include <string.h>

#include "clients/c/cli/flag_values.h"
#include "clients/c/cli/flags.h"

static int parse_server(struct cli_options *options, const char *value, struct heel_error **err)
{
    return cli_parse_text(value, "address", &options->server, err);
}

static int parse_namespaces(struct cli_options *options, const char *value, struct heel_error **err)
{
    if (strcmp(value, "auto") != 0 && strcmp(value, "require") != 0 && strcmp(value, "never") != 0)
        return cli_invalid(err, "%s is none of auto, require and never", value);
    options->namespaces = value;
    return 0;
}

static int parse_output(struct cli_options *options, const char *value, struct heel_error **err)
{
    if (strcmp(value, "json") != 0 && strcmp(value, "text") != 0)
        return cli_invalid(err, "\"%s\" is no output format: give text or json", value);
    options->json = strcmp(value, "json") == 0;
    return 0;
}

static int parse_config(struct cli_options *options, const char *value, struct heel_error **err)
{
    return cli_parse_text(value, "path", &options->config, err);
}

static int parse_profile(struct cli_options *options, const char *value, struct heel_error **err)
{
    return cli_parse_text(value, "name", &options->profile, err);
}

#define SERVER_FLAG \
    { \
        "server", "ADDRESS", \
            "the server to use: unix:PATH or a path; else $HEEL_ADDRESS, else your own", \
            "--server unix:/run/heel/heeld.sock", .parse = parse_server \
    }

#define NAMESPACES_FLAG \
    { \
        "namespaces", "auto|require|never", \
            "whether a server that this starts gives sandboxes namespaces of their own; auto: " \
            "where the host allows them", \
            "--namespaces never", .parse = parse_namespaces \
    }

const struct cli_flag cli_start_flags[] = {NAMESPACES_FLAG, {0}};

const struct cli_flag cli_private_flags[] = {
    SERVER_FLAG,
    NAMESPACES_FLAG,
    {"autostart", NULL,
     "for scripts that give it to every verb: this one starts no server that stays",
     "--no-autostart", CLI_BOOLEAN(autostart)},
    {0},
};

const struct cli_flag cli_server_flags[] = {
    SERVER_FLAG,
    NAMESPACES_FLAG,
    {"autostart", NULL,
     "start your own server where none runs, as is done anyway; with --no- fail there",
     "--no-autostart", CLI_BOOLEAN(autostart)},
    {0},
};

#define OUTPUT_FLAG \
    { \
        "output", "text|json", \
            "what to print: text for people, or the contract's messages as JSON", "--output json", \
            .parse = parse_output \
    }

const struct cli_flag cli_output_flags[] = {
    OUTPUT_FLAG,
    {0},
};

#define DENIALS_FLAG \
    { \
        "show-denials", NULL, \
            "say what the sandbox refused and what would allow it, as is done anyway where " \
            "standard error is a terminal", \
            "--show-denials", CLI_BOOLEAN(show_denials) \
    }

const struct cli_flag cli_session_flags[] = {
    DENIALS_FLAG,
    OUTPUT_FLAG,
    {0},
};

const struct cli_flag cli_denial_flags[] = {DENIALS_FLAG, {0}};

#define CONFIG_FLAG \
    { \
        "config", "PATH", \
            "the configuration file instead of your own; a project's is read where it is named " \
            "only", \
            "--config heel.yaml", .parse = parse_config \
    }

const struct cli_flag cli_config_flags[] = {CONFIG_FLAG, {0}};

const struct cli_flag cli_profile_flags[] = {
    {"profile", "NAME",
     "begin with this profile of the configuration file; what other flags say wins over it",
     "--profile build", .parse = parse_profile},
    CONFIG_FLAG,
    {0},
};

const struct cli_flag cli_help_flags[] = {
    {"man", NULL, "print the manual page, heelcli(1)", "--man", CLI_BOOLEAN(manual)},
    {0},
};
