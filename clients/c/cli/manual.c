#include "clients/c/cli/manual.h"

#include "base/text.h"
#include "clients/c/cli/flags.h"

/* Text as roff takes it: no line begins with what could be a request, and no dash is a hyphen. */
static void append_text(struct heel_buffer *to, const char *text)
{
    bool begins = true;

    for (; *text; text++) {
        if (begins && (*text == '.' || *text == '\''))
            heel_buffer_append_text(to, "\\&");
        if (*text == '\\')
            heel_buffer_append_text(to, "\\e");
        else if (*text == '-')
            heel_buffer_append_text(to, "\\-");
        else if (*text == '\n')
            heel_buffer_append_text(to, "\n.PP\n");
        else
            heel_buffer_append(to, text, 1);
        begins = *text == '\n';
    }
    heel_buffer_append_text(to, "\n");
}

/* Dashes that can be copied, and nothing more than the text. */
static void append_dashed(struct heel_buffer *to, const char *text)
{
    for (; *text; text++)
        heel_buffer_printf(to, "%s%c", *text == '-' ? "\\" : "", *text);
}

static void append_flag(struct heel_buffer *to, const struct cli_flag *flag)
{
    heel_buffer_append_text(to, ".TP\n");
    if (cli_flag_letter(flag))
        heel_buffer_printf(to, "\\fB\\-%c\\fR, ", cli_flag_letter(flag));
    heel_buffer_append_text(to, "\\fB\\-\\-");
    append_dashed(to, cli_flag_negation(flag));
    append_dashed(to, flag->name);
    heel_buffer_append_text(to, "\\fR");
    if (flag->argument)
        heel_buffer_printf(to, " \\fI%s\\fR", flag->argument);
    heel_buffer_append_text(to, "\n");
    append_text(to, flag->help);
}

static void append_verb(struct heel_buffer *to, const struct cli_verb *verb)
{
    size_t group = 0, index = 0;
    const struct cli_flag *flag;

    heel_buffer_printf(to, ".SS \"heelcli %s %s%s\"\n", verb->name,
                       verb->flags[0] ? "[FLAG...] " : "", verb->arguments);
    append_text(to, verb->help);
    while ((flag = cli_flags_next(verb, &group, &index)))
        append_flag(to, flag);
    heel_buffer_append_text(to, ".PP\nExample:\n.PP\n.nf\n.RS\n");
    append_text(to, verb->example);
    heel_buffer_append_text(to, ".RE\n.fi\n");
}

char *cli_manual(void)
{
    struct heel_buffer to = {0};

    heel_buffer_append_text(
        &to, ".TH HEELCLI 1 \"\" \"heel " HEEL_VERSION "\" \"User Commands\"\n"
             ".SH NAME\nheelcli \\- run commands in native sandboxes\n"
             ".SH SYNOPSIS\n.B heelcli\n\\fIVERB\\fR [\\fIFLAG\\fR...] [\\-\\-] "
             "[\\fIARGUMENT\\fR...]\n"
             ".SH DESCRIPTION\n"
             "heelcli runs commands in native sandboxes of the operating system. Flags come after "
             "the verb and end at the first argument that is none, or at \\-\\-.\n"
             ".SH VERBS\n");
    for (const struct cli_verb *verb = cli_verbs; verb->name; verb++)
        append_verb(&to, verb);
    heel_buffer_append_text(
        &to, ".SH ENVIRONMENT\n"
             ".TP\n.B HEEL_ADDRESS\nThe server to use where \\-\\-server names none.\n"
             ".TP\n.B HEEL_HEELD\nThe heeld that is started where none runs.\n"
             ".TP\n.B NO_COLOR\nWhere it is set and not empty, nothing is coloured.\n"
             ".SH EXIT STATUS\n"
             "Of run, exec, shell, attach and wait the command's own; see run. Else 0, or 1 where "
             "the verb failed; 125 where the command line is wrong.\n");
    return to.data;
}
