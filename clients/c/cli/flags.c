#include "clients/c/cli/flags.h"

#include <string.h>

#include "base/text.h"
#include "clients/c/cli/nearest.h"

/* What stands before the name of a flag that takes no value and switches it off. */
#define NEGATION "no-"

const struct cli_flag *cli_flags_next(const struct cli_verb *verb, size_t *group, size_t *index)
{
    for (; *group < CLI_GROUPS_MAX && verb->flags[*group]; (*group)++, *index = 0)
        if (verb->flags[*group][*index].name)
            return &verb->flags[*group][(*index)++];
    return NULL;
}

static const struct cli_flag *find(const struct cli_verb *verb, const char *name)
{
    size_t group = 0, index = 0;
    const struct cli_flag *flag;

    while ((flag = cli_flags_next(verb, &group, &index)))
        if (strcmp(flag->name, name) == 0)
            return flag;
    return NULL;
}

/* The flag that `name` switches off, as in "no-gpu"; NULL if there is none. */
static const struct cli_flag *find_negated(const struct cli_verb *verb, const char *name)
{
    const struct cli_flag *flag =
        heel_starts_with(name, NEGATION) ? find(verb, name + strlen(NEGATION)) : NULL;

    return flag && !flag->argument ? flag : NULL;
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

const char *cli_flag_negation(const struct cli_flag *flag)
{
    return flag->argument ? "" : "[" NEGATION "]";
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
    bool negated = heel_starts_with(name, NEGATION);
    const struct cli_flag *flag;
    const char *best = NULL;

    while ((flag = cli_flags_next(verb, &group, &index)))
        if (!negated || !flag->argument)
            cli_nearest(name + (negated ? strlen(NEGATION) : 0), flag->name, &best);
    if (best)
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                              "%s has no flag %.*s%s; did you mean --%s%s?", verb->name,
                              (int)dashes, argument, name, negated ? NEGATION : "", best);
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

static void note_spec(const struct cli_flag *flag, struct cli_options *options)
{
    bool is_of_spec = is_in(flag, cli_profile_flags) || is_in(flag, cli_spec_flags) ||
                      is_in(flag, cli_limit_flags);

    if (is_of_spec && !options->spec_flag)
        options->spec_flag = flag->name;
}

static int parse_value(const struct cli_flag *flag, const char *value, struct cli_options *options,
                       struct heel_error **err)
{
    if (flag->parse(options, value, err))
        return heel_error_wrap(err, "--%s", flag->name);
    note_spec(flag, options);
    return 0;
}

static void set_boolean(const struct cli_flag *flag, bool on, struct cli_options *options)
{
    struct cli_boolean *boolean = (void *)((char *)options + flag->boolean_at);

    *boolean = (struct cli_boolean){.given = true, .on = on};
    note_spec(flag, options);
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
        if (!flag->argument) {
            set_boolean(flag, true, options);
            continue;
        }
        if (letter[1])
            return parse_value(flag, letter + 1, options, err);
        return **arguments ? parse_value(flag, *(*arguments)++, options, err)
                           : needs_value(flag, err);
    }
    return 0;
}

/* "--gpu", or "--no-gpu" where `on` is false. */
static int parse_boolean(const struct cli_flag *flag, bool on, const char *value,
                         struct cli_options *options, struct heel_error **err)
{
    if (value)
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                              "--%s takes no value: leave out \"%s\", or give --%s%s", flag->name,
                              value, NEGATION, flag->name);
    set_boolean(flag, on, options);
    return 0;
}

/* One flag of more than a letter at *arguments, which is moved beyond its value if that is an
 * argument of its own. */
static int parse_word(const struct cli_verb *verb, char ***arguments, struct cli_options *options,
                      struct heel_error **err)
{
    const char *argument = *(*arguments)++;
    const char *equals = strchr(argument, '='), *value = equals ? equals + 1 : NULL;
    heel_autofree char *name = strndup(argument + 2, strcspn(argument + 2, "="));
    const struct cli_flag *flag = find(verb, name), *negated = find_negated(verb, name);

    if (!flag && !negated)
        return unknown(verb, argument, err);
    if (!flag || !flag->argument)
        return parse_boolean(flag ? flag : negated, flag != NULL, value, options, err);
    if (!value && !**arguments)
        return needs_value(flag, err);
    return parse_value(flag, value ? value : *(*arguments)++, options, err);
}

static int parse_flag(const struct cli_verb *verb, char ***arguments, struct cli_options *options,
                      struct heel_error **err)
{
    const char *argument = **arguments;

    if (strcmp(argument, "-h") != 0 && strcmp(argument, "--help") != 0)
        return heel_starts_with(argument, "--") ? parse_word(verb, arguments, options, err)
                                                : parse_letters(verb, arguments, options, err);
    options->help = true;
    (*arguments)++;
    return 0;
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
