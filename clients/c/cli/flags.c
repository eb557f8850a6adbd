#include "clients/c/cli/flags.h"

#include <string.h>

#include "base/text.h"
#include "clients/c/cli/nearest.h"

const struct cli_flag *cli_flags_next(const struct cli_verb *verb, size_t *group, size_t *index)
{
    for (; *group < CLI_GROUPS_MAX && verb->flags[*group]; (*group)++, *index = 0)
        if (verb->flags[*group][*index].name)
            return &verb->flags[*group][(*index)++];
    return NULL;
}

static const struct cli_flag *find(const struct cli_verb *verb, const char *name, size_t length)
{
    size_t group = 0, index = 0;
    const struct cli_flag *flag;

    while ((flag = cli_flags_next(verb, &group, &index)))
        if (strlen(flag->name) == length && strncmp(flag->name, name, length) == 0)
            return flag;
    return NULL;
}

/* A letter means the same with every verb. */
char cli_flag_letter(const struct cli_flag *flag)
{
    static const struct {
        char letter;
        const char *name;
    } letters[] = {
        {'a', "all"}, {'f', "follow"}, {'i', "interactive"}, {'s', "signal"}, {'t', "terminal"},
    };

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(letters); i++)
        if (strcmp(letters[i].name, flag->name) == 0)
            return letters[i].letter;
    return 0;
}

static const struct cli_flag *find_letter(const struct cli_verb *verb, char letter)
{
    size_t group = 0, index = 0;
    const struct cli_flag *flag;

    while ((flag = cli_flags_next(verb, &group, &index)))
        if (cli_flag_letter(flag) == letter)
            return flag;
    return NULL;
}

static int unknown(const struct cli_verb *verb, const char *argument, struct heel_error **err)
{
    size_t dashes = strspn(argument, "-"), group = 0, index = 0;
    heel_autofree char *name = strndup(argument + dashes, strcspn(argument + dashes, "="));
    const struct cli_flag *flag;
    const char *best = NULL;

    while ((flag = cli_flags_next(verb, &group, &index)))
        cli_nearest(name, flag->name, &best);
    if (best)
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                              "%s has no flag %.*s%s; did you mean --%s?", verb->name, (int)dashes,
                              argument, name, best);
    return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                          "%s has no flag %.*s%s: see heelcli help %s", verb->name, (int)dashes,
                          argument, name, verb->name);
}

static bool is_in(const struct cli_flag *flag, const struct cli_flag *table)
{
    for (; table->name; table++)
        if (table == flag)
            return true;
    return false;
}

static bool is_of_spec(const struct cli_flag *flag)
{
    return is_in(flag, cli_spec_flags) || is_in(flag, cli_limit_flags);
}

static int parse_value(const struct cli_flag *flag, const char *value, struct cli_options *options,
                       struct heel_error **err)
{
    if (flag->parse(options, value, err))
        return heel_error_wrap(err, "--%s", flag->name);
    if (!options->spec_flag && is_of_spec(flag))
        options->spec_flag = flag->name;
    return 0;
}

static int needs_value(const struct cli_flag *flag, struct heel_error **err)
{
    return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL, "--%s needs a value, as in %s",
                          flag->name, flag->example);
}

/* Letters in a bundle, as in "-it". The rest of it, or the next argument, is the value of the first
 * that takes one. */
static int parse_letters(const struct cli_verb *verb, char ***arguments,
                         struct cli_options *options, struct heel_error **err)
{
    const char *argument = *(*arguments)++;

    for (const char *letter = argument + 1; *letter; letter++) {
        const struct cli_flag *flag = find_letter(verb, *letter);

        if (!flag)
            return unknown(verb, argument, err);
        if (!flag->argument && parse_value(flag, NULL, options, err))
            return -1;
        if (!flag->argument)
            continue;
        if (letter[1])
            return parse_value(flag, letter + 1, options, err);
        return **arguments ? parse_value(flag, *(*arguments)++, options, err)
                           : needs_value(flag, err);
    }
    return 0;
}

/* One flag at *arguments, which is moved beyond its value if that is an argument of its own. */
static int parse_flag(const struct cli_verb *verb, char ***arguments, struct cli_options *options,
                      struct heel_error **err)
{
    const char *argument = **arguments;
    const char *name = argument + 2, *value = strchr(argument, '=');
    const struct cli_flag *flag;

    if (strcmp(argument, "-h") == 0 || strcmp(argument, "--help") == 0) {
        options->help = true;
        (*arguments)++;
        return 0;
    }
    if (!heel_starts_with(argument, "--"))
        return parse_letters(verb, arguments, options, err);
    (*arguments)++;
    flag = find(verb, name, value ? (size_t)(value - name) : strlen(name));
    if (!flag)
        return unknown(verb, argument, err);
    if (!flag->argument && value)
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                              "--%s takes no value: leave out \"%s\"", flag->name, value + 1);
    if (!flag->argument)
        return parse_value(flag, NULL, options, err);
    if (!value && !**arguments)
        return needs_value(flag, err);
    return parse_value(flag, value ? value + 1 : *(*arguments)++, options, err);
}

static int check_count(const struct cli_verb *verb, const struct cli_options *options,
                       struct heel_error **err)
{
    int count = options->argument_count;

    if (options->help)
        return 0;
    if (count < verb->least_arguments)
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL, "%s needs %s, as in: %s",
                              verb->name, verb->arguments, verb->example);
    if (verb->most_arguments >= 0 && count > verb->most_arguments)
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                              "%s takes no argument \"%s\"; flags come before arguments",
                              verb->name, options->arguments[verb->most_arguments]);
    return 0;
}

int cli_flags_parse(const struct cli_verb *verb, char **arguments, struct cli_options *options,
                    struct heel_error **err)
{
    while (*arguments && (*arguments)[0] == '-' && (*arguments)[1]) {
        if (strcmp(*arguments, "--") == 0) {
            arguments++;
            break;
        }
        if (parse_flag(verb, &arguments, options, err))
            return -1;
    }
    options->arguments = arguments;
    while (arguments[options->argument_count])
        options->argument_count++;
    return check_count(verb, options, err);
}
