#include "server/options.h"

#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "base/text.h"

typedef int parse_value(const char *value, struct options *options, struct heel_error **err);

static int bad_value(const char *option, const char *value, const char *expected,
                     struct heel_error **err)
{
    return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL, "--%s %s: expected %s", option, value,
                          expected);
}

static int parse_unsigned(const char *option, const char *value, unsigned long long minimum,
                          unsigned long long maximum, unsigned long long *number,
                          struct heel_error **err)
{
    heel_autofree char *expected = heel_format("a number from %llu to %llu", minimum, maximum);
    char *end;

    *number = strtoull(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || *number < minimum || *number > maximum)
        return bad_value(option, value, expected, err);
    return 0;
}

static int parse_count(const char *option, const char *value, unsigned *count,
                       struct heel_error **err)
{
    unsigned long long number;

    if (parse_unsigned(option, value, 1, 1000000, &number, err) < 0)
        return -1;
    *count = (unsigned)number;
    return 0;
}

static int parse_fd(const char *option, const char *value, int *fd, struct heel_error **err)
{
    unsigned long long number;

    if (parse_unsigned(option, value, 3, 1000000, &number, err) < 0)
        return -1;
    *fd = (int)number;
    return 0;
}

static int set_listen(const char *value, struct options *options, struct heel_error **err)
{
    if (heel_starts_with(value, "tcp:") || heel_starts_with(value, "dns:") ||
        heel_starts_with(value, "ipv"))
        return heel_error_set(
            err, HEEL_UNIMPLEMENTED, NULL,
            "--listen %s: heeld can't tell callers apart over TCP yet; use unix:PATH", value);
    if (!heel_starts_with(value, "unix:/"))
        return bad_value("listen", value, "unix:/PATH", err);
    if (options->listen_count == OPTIONS_MAX_LISTEN)
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL, "--listen: at most %d sockets",
                              OPTIONS_MAX_LISTEN);
    options->listen[options->listen_count++] = value + strlen("unix:");
    return 0;
}

static int set_connection_fd(const char *value, struct options *options, struct heel_error **err)
{
    return parse_fd("connection-fd", value, &options->connection_fd, err);
}

static int set_ready_fd(const char *value, struct options *options, struct heel_error **err)
{
    return parse_fd("ready-fd", value, &options->ready_fd, err);
}

static int set_state_dir(const char *value, struct options *options, struct heel_error **err)
{
    if (value[0] != '/')
        return bad_value("state-dir", value, "an absolute path", err);
    options->server.backend.state_dir = value;
    return 0;
}

static int set_namespaces(const char *value, struct options *options, struct heel_error **err)
{
    if (heel_namespaces_parse(value, &options->server.backend.namespaces) < 0)
        return bad_value("namespaces", value, "auto, require or never", err);
    return 0;
}

static int set_without(const char *value, struct options *options, struct heel_error **err)
{
    (void)err;
    options->server.backend.without = value;
    return 0;
}

static int set_uid_range(const char *value, struct options *options, struct heel_error **err)
{
    unsigned long long first, last; /* a number that is too large must not pass for another one */
    int length = 0;

    if (sscanf(value, "%llu-%llu%n", &first, &last, &length) != 2 || value[length] != '\0' ||
        first < 1 || last < first || last >= 0xfffffffeu)
        return bad_value("uid-range", value, "FIRST-LAST, as in 1879048192-1879113727", err);
    options->server.backend.uid_first = (uid_t)first;
    options->server.backend.uid_count = (uid_t)(last - first + 1);
    return 0;
}

static int set_default_level(const char *value, struct options *options, struct heel_error **err)
{
    static const struct {
        const char *name;
        Heel__V1__IsolationLevel level;
    } levels[] = {
        {"strict", HEEL__V1__ISOLATION_LEVEL__ISOLATION_LEVEL_STRICT},
        {"default", HEEL__V1__ISOLATION_LEVEL__ISOLATION_LEVEL_DEFAULT},
        {"permissive", HEEL__V1__ISOLATION_LEVEL__ISOLATION_LEVEL_PERMISSIVE},
    };

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(levels); i++) {
        if (strcmp(levels[i].name, value) == 0) {
            options->server.default_level = levels[i].level;
            return 0;
        }
    }
    return bad_value("default-level", value, "strict, default or permissive", err);
}

static int set_grace(const char *value, struct options *options, struct heel_error **err)
{
    if (heel_duration_parse(value, &options->server.grace_ms) < 0)
        return bad_value("grace", value, "a duration, as in 10s", err);
    return 0;
}

static int set_idle_exit(const char *value, struct options *options, struct heel_error **err)
{
    if (heel_duration_parse(value, &options->server.idle_exit_ms) < 0)
        return bad_value("idle-exit", value, "a duration, as in 15m", err);
    return 0;
}

static int set_log_level(const char *value, struct options *options, struct heel_error **err)
{
    if (log_level_parse(value, &options->log_level) < 0)
        return bad_value("log-level", value, "debug, info, warn, error or off", err);
    return 0;
}

static int set_max_sandboxes(const char *value, struct options *options, struct heel_error **err)
{
    return parse_count("max-sandboxes", value, &options->server.max_sandboxes, err);
}

static int set_max_sandboxes_per_caller(const char *value, struct options *options,
                                        struct heel_error **err)
{
    return parse_count("max-sandboxes-per-caller", value, &options->server.max_sandboxes_per_caller,
                       err);
}

static int set_max_processes(const char *value, struct options *options, struct heel_error **err)
{
    return parse_count("max-processes", value, &options->server.max_processes, err);
}

static int set_max_processes_per_caller(const char *value, struct options *options,
                                        struct heel_error **err)
{
    return parse_count("max-processes-per-caller", value, &options->server.max_processes_per_caller,
                       err);
}

static int set_max_streams(const char *value, struct options *options, struct heel_error **err)
{
    return parse_count("max-streams", value, &options->server.max_streams, err);
}

static int set_max_streams_per_caller(const char *value, struct options *options,
                                      struct heel_error **err)
{
    return parse_count("max-streams-per-caller", value, &options->server.max_streams_per_caller,
                       err);
}

static int parse_mebibytes(const char *option, const char *value, size_t *bytes,
                           struct heel_error **err)
{
    unsigned mebibytes;

    if (parse_count(option, value, &mebibytes, err) < 0)
        return -1;
    *bytes = (size_t)mebibytes << 20;
    return 0;
}

static int set_max_output(const char *value, struct options *options, struct heel_error **err)
{
    return parse_mebibytes("max-kept-output", value, &options->server.max_ring_bytes, err);
}

static int set_max_output_per_caller(const char *value, struct options *options,
                                     struct heel_error **err)
{
    return parse_mebibytes("max-kept-output-per-caller", value,
                           &options->server.max_ring_bytes_per_caller, err);
}

static const struct option_entry {
    const char *name;
    const char *argument;
    parse_value *parse;
    const char *help;
} entries[] = {
    {"listen", "unix:PATH", set_listen,
     "listen on this socket instead of the default one; may be repeated"},
    {"state-dir", "PATH", set_state_dir,
     "where sandboxes keep their files (default: $XDG_STATE_HOME/heel, as root /var/lib/heel)"},
    {"namespaces", "WHEN", set_namespaces,
     "whether sandboxes get their own: auto (default: where the host allows them), require, never"},
    {"without", "MECHANISM[,...]", set_without,
     "for tests: do without userns, pidns, seccomp, listener, or Landlock beyond landlock-abi=N"},
    {"uid-range", "FIRST-LAST", set_uid_range,
     "as root: the host uids that sandboxes run as (default: 1879048192-1879113727)"},
    {"default-level", "LEVEL", set_default_level,
     "of a spec that names none: strict (default), default or permissive"},
    {"grace", "DURATION", set_grace,
     "how long running calls may take after SIGTERM (default: 10s)"},
    {"idle-exit", "DURATION", set_idle_exit,
     "end after this long without a sandbox (default: never)"},
    {"max-sandboxes", "N", set_max_sandboxes, "of all callers (default: 16384)"},
    {"max-sandboxes-per-caller", "N", set_max_sandboxes_per_caller, "of one (default: 8192)"},
    {"max-processes", "N", set_max_processes,
     "commands that run at once, of all callers (default: 32768)"},
    {"max-processes-per-caller", "N", set_max_processes_per_caller, "of one (default: 16384)"},
    {"max-streams", "N", set_max_streams,
     "open streams and calls of WaitProcess, of all callers (default: 32768)"},
    {"max-streams-per-caller", "N", set_max_streams_per_caller, "of one (default: 16384)"},
    {"max-kept-output", "MIB", set_max_output,
     "MiB of output kept to be read later, of all callers (default: 1024)"},
    {"max-kept-output-per-caller", "MIB", set_max_output_per_caller, "of one (default: 512)"},
    {"log-level", "LEVEL", set_log_level, "debug, info (default), warn, error or off"},
    {"ready-fd", "N", set_ready_fd,
     "write a newline to this descriptor when connections are taken"},
    {"connection-fd", "N", set_connection_fd,
     "serve the connected socket N alone, and end with it"},
};

static const struct option_entry *find_entry(const char *name, size_t length)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(entries); i++) {
        if (strlen(entries[i].name) == length && strncmp(entries[i].name, name, length) == 0)
            return &entries[i];
    }
    return NULL;
}

/* "--name value" or "--name=value"; *at moves over what was used. */
static int parse_one(int argc, char **argv, int *at, struct options *options,
                     struct heel_error **err)
{
    const char *argument = argv[*at];
    const char *name = argument + 2;
    const char *value = strchr(name, '=');
    const struct option_entry *entry;

    if (!heel_starts_with(argument, "--"))
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL, "%s is no option; see heeld --help",
                              argument);
    entry = find_entry(name, value ? (size_t)(value - name) : strlen(name));
    if (!entry)
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                              "there is no option %s; see heeld --help", argument);
    value = value ? value + 1 : *at + 1 < argc ? argv[++*at] : NULL;
    if (!value)
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL, "%s needs %s", argument,
                              entry->argument);
    return entry->parse(value, options, err);
}

int options_parse(int argc, char **argv, struct options *options, struct heel_error **err)
{
    *options = (struct options){
        .server = server_default_options(),
        .connection_fd = -1,
        .ready_fd = -1,
        .log_level = LOG_LEVEL_INFO,
    };
    for (int at = 1; at < argc; at++) {
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)
            options->help = true;
        else if (strcmp(argv[at], "--version") == 0)
            options->version = true;
        else if (parse_one(argc, argv, &at, options, err) < 0)
            return -1;
    }
    if (options->connection_fd >= 0 && options->listen_count > 0)
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                              "--connection-fd serves one connection: it goes without --listen");
    return 0;
}

void options_print_help(void)
{
    puts("heeld: runs code in native sandboxes of the operating system, for callers on a Unix "
         "socket.\n\n"
         "Usage: heeld [OPTIONS]\n\nOptions:");
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(entries); i++) {
        heel_autofree char *option = heel_format("--%s %s", entries[i].name, entries[i].argument);

        printf("  %-32s %s\n", option, entries[i].help);
    }
    puts("  --version                        print the version\n  --help                           "
         "print this");
}
