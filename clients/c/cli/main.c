/* heelcli: the command line of heel. One process per command: it speaks to a heeld, or, for `run`
 * where none is there, is its own, whose launcher it forks before it has a second thread. */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "base/standard_descriptors.h"
#include "base/text.h"
#include "clients/c/cli/cli.h"
#include "clients/c/cli/flags.h"
#include "clients/c/cli/nearest.h"
#include "clients/c/cli/profile.h"
#include "clients/c/cli/report.h"

__attribute__((constructor(101))) static void prepare_process(void)
{
    /* A dozen threads of gRPC's for a few ms: an arena for each costs more than it saves. */
    mallopt(M_ARENA_MAX, 1);
    if (heel_fill_standard_descriptors() < 0)
        _exit(CLI_EXIT_OWN_ERROR);
}

static const struct cli_verb *find_verb(const char *name, struct heel_error **err)
{
    const struct cli_verb *verb = cli_verb_find(name);
    const char *best = NULL;

    if (verb)
        return verb;
    for (verb = cli_verbs; verb->name; verb++)
        cli_nearest(name, verb->name, &best);
    if (*name == '-')
        heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                       "flags come after the verb, and \"%s\" comes first: see heelcli help", name);
    else if (best)
        heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                       "there is no verb \"%s\"; did you mean %s?", name, best);
    else
        heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                       "there is no verb \"%s\": see heelcli help", name);
    return NULL;
}

/* The spellings that people try first. */
static const char *verb_name(const char *argument)
{
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)
        return "help";
    return strcmp(argument, "--version") == 0 ? "version" : argument;
}

static int run_verb(const struct cli_verb *verb, char **arguments)
{
    heel_autoerror struct heel_error *error = NULL;
    struct cli_options options = {0};
    int code = cli_flags_parse(verb, arguments, &options, &error);

    if (!code && options.help)
        code = cli_print(cli_help_text(verb), &error);
    else if (!code)
        code = cli_profile_apply(&options, &error) ? -1 : verb->run(&options, &error);
    if (code < 0) {
        cli_report(error, options.json);
        code = verb->failure;
    }
    cli_options_clear(&options);
    return code;
}

int main(int argc, char **argv)
{
    heel_autoerror struct heel_error *error = NULL;
    const struct cli_verb *verb;

    if (argc < 2) {
        heel_autofree char *help = cli_help_text(NULL);

        fputs(help, stderr);
        return CLI_EXIT_FAILED;
    }
    verb = find_verb(verb_name(argv[1]), &error);
    if (!verb) {
        cli_report(error, false);
        return CLI_EXIT_OWN_ERROR;
    }
    return run_verb(verb, argv + 2);
}
