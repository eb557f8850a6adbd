/* Help, made from the tables. */
#include <string.h>

#include "base/text.h"
#include "clients/c/cli/flags.h"
#include "clients/c/cli/report.h"

#define COLUMNS 100
#define FLAG_COLUMN 30

/* Appends `text` broken between words, each further line `indent` columns in; the first begins in
 * column `at`. */
static void append_wrapped(struct heel_buffer *to, const char *text, int indent, int at)
{
    while (*text) {
        int length = (int)strcspn(text, " \n");

        if (at > indent && at + 1 + length > COLUMNS) {
            heel_buffer_printf(to, "\n%*s", indent, "");
            at = indent;
        }
        heel_buffer_printf(to, "%s%.*s", at > indent ? " " : "", length, text);
        at += length + (at > indent);
        text += length;
        if (*text == '\n') {
            heel_buffer_printf(to, "\n%*s", indent, "");
            at = indent;
        }
        text += *text != '\0';
    }
    heel_buffer_append_text(to, "\n");
}

static void append_flag(struct heel_buffer *to, const struct cli_flag *flag)
{
    size_t before = to->length;
    int length;

    heel_buffer_append_text(to, "  ");
    if (cli_flag_letter(flag))
        heel_buffer_printf(to, "-%c, ", cli_flag_letter(flag));
    heel_buffer_printf(to, "--%s%s%s%s", cli_flag_negation(flag), flag->name,
                       flag->argument ? " " : "", flag->argument ? flag->argument : "");
    length = (int)(to->length - before);
    if (length >= FLAG_COLUMN - 1) {
        heel_buffer_append_text(to, "\n");
        length = 0;
    }
    heel_buffer_printf(to, "%*s", FLAG_COLUMN - length, "");
    append_wrapped(to, flag->help, FLAG_COLUMN, FLAG_COLUMN);
}

static void append_verb(struct heel_buffer *to, const struct cli_verb *verb)
{
    size_t group = 0, index = 0;
    const struct cli_flag *flag;

    heel_buffer_printf(to, "heelcli %s: %s\n\n", verb->name, verb->summary);
    heel_buffer_printf(to, "  heelcli %s [FLAG...]%s%s\n\n", verb->name,
                       *verb->arguments ? " [--] " : "", verb->arguments);
    append_wrapped(to, verb->help, 0, 0);
    heel_buffer_append_text(to, "\nFlags, which end at the first argument that is none:\n");
    while ((flag = cli_flags_next(verb, &group, &index)))
        append_flag(to, flag);
    heel_buffer_printf(to, "  --help%*sshow this\n", FLAG_COLUMN - 8, "");
    heel_buffer_printf(to, "\nExample: %s\n", verb->example);
}

static void append_all(struct heel_buffer *to)
{
    heel_buffer_append_text(to, "heelcli runs commands in native sandboxes.\n\n"
                                "  heelcli VERB [FLAG...] [--] [ARGUMENT...]\n\n");
    for (const struct cli_verb *verb = cli_verbs; verb->name; verb++)
        heel_buffer_printf(to, "  %-12s%s\n", verb->name, verb->summary);
    heel_buffer_append_text(
        to, "\nheelcli help VERB explains a verb. Begin with: heelcli run -- echo hello\n");
}

char *cli_help_text(const struct cli_verb *verb)
{
    struct heel_buffer to = {0};

    if (verb)
        append_verb(&to, verb);
    else
        append_all(&to);
    return to.data;
}
