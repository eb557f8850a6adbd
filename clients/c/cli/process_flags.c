/* The flags of processes: their terminals, their output, their signals, and what happened. */
#include <string.h>

#include "base/text.h"
#include "clients/c/cli/flag_values.h"
#include "clients/c/cli/flags.h"

static int parse_id(struct cli_options *options, const char *value, struct heel_error **err)
{
    return cli_parse_text(value, "id", &options->id, err);
}

static int parse_when_full(struct cli_options *options, const char *value, struct heel_error **err)
{
    if (strcmp(value, "block") == 0)
        options->when_full = HEEL_WHEN_FULL_BLOCK;
    else if (strcmp(value, "drop-oldest") == 0)
        options->when_full = HEEL_WHEN_FULL_DROP_OLDEST;
    else
        return cli_invalid(err, "\"%s\" is none of block and drop-oldest", value);
    return 0;
}

/* ---- processes ---- */

static int parse_output_offset(struct cli_options *options, const char *value,
                               struct heel_error **err)
{
    options->has_offset = true;
    return cli_parse_number(value, &options->output_offset, err);
}

static int parse_errors_offset(struct cli_options *options, const char *value,
                               struct heel_error **err)
{
    options->has_offset = true;
    return cli_parse_number(value, &options->errors_offset, err);
}

static int parse_detach_keys(struct cli_options *options, const char *value,
                             struct heel_error **err)
{
    (void)err;
    options->detach_keys = value; /* libheel judges it */
    return 0;
}

static int parse_signal(struct cli_options *options, const char *value, struct heel_error **err)
{
    return cli_parse_text(value, "name", &options->signal_name, err); /* the server knows them */
}

static int parse_scope(struct cli_options *options, const char *value, struct heel_error **err)
{
    if (strcmp(value, "process") == 0)
        options->scope = HEEL_SIGNAL_PROCESS;
    else if (strcmp(value, "group") == 0)
        options->scope = HEEL_SIGNAL_GROUP;
    else if (strcmp(value, "tree") == 0)
        options->scope = HEEL_SIGNAL_TREE;
    else
        return cli_invalid(err, "\"%s\" is none of process, group and tree", value);
    return 0;
}

/* ---- events ---- */

static int parse_sandbox(struct cli_options *options, const char *value, struct heel_error **err)
{
    return cli_parse_text(value, "id", &options->sandbox, err);
}

static int parse_kind(struct cli_options *options, const char *value, struct heel_error **err)
{
    static const struct {
        const char *name;
        enum heel_event_kind kind;
    } kinds[] = {
        {"sandbox", HEEL_EVENT_SANDBOX},
        {"process-started", HEEL_EVENT_PROCESS_STARTED},
        {"process-exited", HEEL_EVENT_PROCESS_EXITED},
        {"denial", HEEL_EVENT_DENIAL},
        {"limit", HEEL_EVENT_LIMIT},
    };

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(kinds); i++)
        if (strcmp(kinds[i].name, value) == 0) {
            options->kinds =
                heel_xrealloc(options->kinds, options->kind_count + 1, sizeof(*options->kinds));
            options->kinds[options->kind_count++] = kinds[i].kind;
            return 0;
        }
    return cli_invalid(
        err, "\"%s\" is none of sandbox, process-started, process-exited, denial and limit", value);
}

static int parse_after(struct cli_options *options, const char *value, struct heel_error **err)
{
    options->has_after = true;
    return cli_parse_number(value, &options->after, err);
}

/* ---- the tables ---- */

const struct cli_flag cli_terminal_flags[] = {
    {"interactive", NULL,
     "for those used to it: standard input is always passed on to a command that is waited for",
     "--interactive", CLI_BOOLEAN(interactive)},
    {"terminal", NULL, "give it a terminal, connected to this one", "--terminal",
     CLI_BOOLEAN(terminal)},
    {0},
};

const struct cli_flag cli_background_flags[] = {
    {"id", "ID", "its id; with one of your own a repeated start finds the first one's process",
     "--id server", .parse = parse_id},
    {"interactive", NULL, "keep its standard input open for those who attach", "--interactive",
     CLI_BOOLEAN(interactive)},
    {"terminal", NULL, "give it a terminal, of the size of this one, for those who attach",
     "--terminal", CLI_BOOLEAN(terminal)},
    {"when-full", "block|drop-oldest",
     "what happens while nobody reads: it forgets its oldest output (so by default), or waits",
     "--when-full block", .parse = parse_when_full},
    {0},
};

const struct cli_flag cli_ps_flags[] = {
    {"all", NULL, "those that are over as well", "--all", CLI_BOOLEAN(all)},
    {0},
};

#define OFFSET_FLAGS \
    {"since-offset", "N", "begin with this byte of its standard output", "--since-offset 4096", \
     .parse = parse_output_offset}, \
    { \
        "since-errors-offset", "N", "the same of its standard error", \
            "--since-errors-offset 4096", .parse = parse_errors_offset \
    }

const struct cli_flag cli_logs_flags[] = {
    {"follow", NULL, "go on with what comes, until it is over", "--follow", CLI_BOOLEAN(follow)},
    OFFSET_FLAGS,
    {0},
};

const struct cli_flag cli_attach_flags[] = {
    {"detach-keys", "KEYS",
     "what leaves it alone when it is typed; ctrl-p,ctrl-q by default, \"\" for none",
     "--detach-keys ctrl-a,d", .parse = parse_detach_keys},
    OFFSET_FLAGS,
    {0},
};

const struct cli_flag cli_kill_flags[] = {
    {"signal", "NAME", "which signal, by name or number; TERM by default", "--signal KILL",
     .parse = parse_signal},
    {"scope", "process|group|tree",
     "whom it reaches: the process alone, its process group (so by default), or all that descends "
     "from it",
     "--scope tree", .parse = parse_scope},
    {0},
};

const struct cli_flag cli_events_flags[] = {
    {"follow", NULL, "go on with what happens; without --after only that", "--follow",
     CLI_BOOLEAN(follow)},
    {"sandbox", "ID", "only those of this sandbox", "--sandbox build-7", .parse = parse_sandbox},
    {"kind", "sandbox|process-started|process-exited|denial|limit",
     "only those of this kind; may be repeated", "--kind process-exited", .parse = parse_kind},
    {"after", "N", "only those after the one of this number", "--after 42", .parse = parse_after},
    {0},
};
