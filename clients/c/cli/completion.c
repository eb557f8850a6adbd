#include "clients/c/cli/completion.h"

#include <string.h>

#include "base/text.h"
#include "clients/c/cli/flags.h"

/* Whether an argument is one of several words, as in "text|json"; what is in capitals stands for
 * something else. */
static bool is_choice(const char *argument)
{
    return argument && strchr(argument, '|') && *argument >= 'a' && *argument <= 'z';
}

static bool is_path(const char *argument)
{
    return argument && strstr(argument, "PATH");
}

static void append_verb_names(struct heel_buffer *to)
{
    for (const struct cli_verb *verb = cli_verbs; verb->name; verb++)
        heel_buffer_printf(to, "%s%s", verb == cli_verbs ? "" : " ", verb->name);
}

static void append_choices(struct heel_buffer *to, const char *argument)
{
    for (; *argument; argument++)
        heel_buffer_append(to, *argument == '|' ? " " : argument, 1);
}

/* ---- bash ---- */

/* What may stand where an argument of the verb does; a dash begins a flag there. */
#define BASH_ARGUMENT "[[ $word == -* ]] || { _heelcli_words "

/* What may stand behind a flag that takes a value: a choice, a path, or nothing that is known. */
static void append_bash_values(struct heel_buffer *to, const struct cli_verb *verb)
{
    size_t group = 0, index = 0;
    const struct cli_flag *flag;

    if (is_choice(verb->arguments)) {
        heel_buffer_printf(to, "        %s:%s) " BASH_ARGUMENT "'", verb->name, verb->name);
        append_choices(to, verb->arguments);
        heel_buffer_append_text(to, "'; return; } ;;\n");
    }
    while ((flag = cli_flags_next(verb, &group, &index))) {
        if (!flag->argument)
            continue;
        heel_buffer_printf(to, "        %s:--%s) ", verb->name, flag->name);
        if (is_choice(flag->argument)) {
            heel_buffer_append_text(to, "_heelcli_words '");
            append_choices(to, flag->argument);
            heel_buffer_append_text(to, "'");
        } else if (is_path(flag->argument)) {
            heel_buffer_append_text(to, "_heelcli_files");
        } else {
            heel_buffer_append_text(to, ":");
        }
        heel_buffer_append_text(to, "; return ;;\n");
    }
}

static void append_bash_flags(struct heel_buffer *to, const struct cli_verb *verb)
{
    size_t group = 0, index = 0;
    const struct cli_flag *flag;

    heel_buffer_printf(to, "        %s) flags='--help", verb->name);
    while ((flag = cli_flags_next(verb, &group, &index)))
        heel_buffer_printf(to, flag->argument ? " --%s" : " --%s --no-%s", flag->name, flag->name);
    heel_buffer_append_text(to, "' ;;\n");
}

static char *bash(void)
{
    struct heel_buffer to = {0};

    heel_buffer_append_text(
        &to, "# bash completion for heelcli: source <(heelcli completion bash)\n"
             "_heelcli_words() { COMPREPLY=($(compgen -W \"$1\" -- \"$word\")); }\n"
             "_heelcli_files() { compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\")); }\n"
             "_heelcli() {\n"
             "    local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} flags=\n"
             "    if ((COMP_CWORD == 1)); then\n        _heelcli_words '");
    append_verb_names(&to);
    heel_buffer_append_text(&to, "'\n        return\n    fi\n"
                                 "    case $verb:${COMP_WORDS[COMP_CWORD - 1]} in\n");
    for (const struct cli_verb *verb = cli_verbs; verb->name; verb++)
        append_bash_values(&to, verb);
    heel_buffer_append_text(&to, "        help:*) " BASH_ARGUMENT "'");
    append_verb_names(&to);
    heel_buffer_append_text(&to, "'; return; } ;;\n    esac\n    case $verb in\n");
    for (const struct cli_verb *verb = cli_verbs; verb->name; verb++)
        append_bash_flags(&to, verb);
    heel_buffer_append_text(&to, "    esac\n"
                                 "    if [[ $word == -* ]]; then\n"
                                 "        _heelcli_words \"$flags\"\n"
                                 "    else\n"
                                 "        _heelcli_files\n"
                                 "    fi\n"
                                 "}\n"
                                 "complete -F _heelcli heelcli\n");
    return to.data;
}

/* ---- zsh ---- */

/* As _arguments and _describe want them, where colons and brackets mean something. */
static void append_zsh_text(struct heel_buffer *to, const char *text)
{
    for (; *text; text++) {
        if (strchr(":[]\\", *text))
            heel_buffer_append_text(to, "\\");
        heel_buffer_append_text(to, *text == '\'' ? "'\\'" : "");
        heel_buffer_append(to, text, 1);
    }
}

static void append_zsh_flag(struct heel_buffer *to, const struct cli_flag *flag)
{
    if (!flag->argument)
        heel_buffer_printf(to, " \\\n            '--no-%s[not --%s]'", flag->name, flag->name);
    heel_buffer_printf(to, " \\\n            '*--%s%s[", flag->name, flag->argument ? "=" : "");
    append_zsh_text(to, flag->help);
    heel_buffer_append_text(to, "]");
    if (is_choice(flag->argument)) {
        heel_buffer_append_text(to, ":value:(");
        append_choices(to, flag->argument);
        heel_buffer_append_text(to, ")");
    } else if (flag->argument) {
        heel_buffer_printf(to, ":value:%s", is_path(flag->argument) ? "_files" : "");
    }
    heel_buffer_append_text(to, "'");
}

static void append_zsh_arguments(struct heel_buffer *to, const struct cli_verb *verb)
{
    bool is_help = strcmp(verb->name, "help") == 0;

    heel_buffer_append_text(to, " \\\n            '*:argument:");
    heel_buffer_append_text(to, is_help || is_choice(verb->arguments) ? "(" : "_files");
    if (is_help)
        append_verb_names(to);
    else if (is_choice(verb->arguments))
        append_choices(to, verb->arguments);
    heel_buffer_append_text(to, is_help || is_choice(verb->arguments) ? ")' ;;\n" : "' ;;\n");
}

static char *zsh(void)
{
    struct heel_buffer to = {0};

    heel_buffer_append_text(&to, "#compdef heelcli\n"
                                 "# zsh completion for heelcli: source <(heelcli completion zsh)\n"
                                 "_heelcli() {\n"
                                 "    local -a verbs\n"
                                 "    verbs=(\n");
    for (const struct cli_verb *verb = cli_verbs; verb->name; verb++) {
        heel_buffer_printf(&to, "        '%s:", verb->name);
        append_zsh_text(&to, verb->summary);
        heel_buffer_append_text(&to, "'\n");
    }
    heel_buffer_append_text(&to, "    )\n"
                                 "    if ((CURRENT == 2)); then\n"
                                 "        _describe verb verbs\n"
                                 "        return\n"
                                 "    fi\n"
                                 "    local verb=${words[2]}\n"
                                 "    shift words\n"
                                 "    ((CURRENT--))\n"
                                 "    case $verb in\n");
    for (const struct cli_verb *verb = cli_verbs; verb->name; verb++) {
        size_t group = 0, index = 0;
        const struct cli_flag *flag;

        heel_buffer_printf(&to, "        %s) _arguments -S '--help[show help]'", verb->name);
        while ((flag = cli_flags_next(verb, &group, &index)))
            append_zsh_flag(&to, flag);
        append_zsh_arguments(&to, verb);
    }
    heel_buffer_append_text(&to, "    esac\n"
                                 "}\n"
                                 "compdef _heelcli heelcli\n");
    return to.data;
}

/* ---- fish ---- */

/* In single quotes, where a backslash still means something. */
static void append_quoted(struct heel_buffer *to, const char *text)
{
    heel_buffer_append_text(to, "'");
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            heel_buffer_append_text(to, *text == '\'' ? "'\\''" : "\\");
        if (*text != '\'')
            heel_buffer_append(to, text, 1);
    }
    heel_buffer_append_text(to, "'");
}

static void append_fish_flag(struct heel_buffer *to, const char *verb, const struct cli_flag *flag)
{
    heel_buffer_printf(to, "complete -c heelcli -n '__fish_seen_subcommand_from %s' -l %s", verb,
                       flag->name);
    if (cli_flag_letter(flag))
        heel_buffer_printf(to, " -s %c", cli_flag_letter(flag));
    if (is_choice(flag->argument)) {
        heel_buffer_append_text(to, " -xa '");
        append_choices(to, flag->argument);
        heel_buffer_append_text(to, "'");
    } else if (flag->argument) {
        heel_buffer_append_text(to, is_path(flag->argument) ? " -rF" : " -x");
    }
    heel_buffer_append_text(to, " -d ");
    append_quoted(to, flag->help);
    heel_buffer_append_text(to, "\n");
    if (!flag->argument)
        heel_buffer_printf(to,
                           "complete -c heelcli -n '__fish_seen_subcommand_from %s' -l no-%s "
                           "-d 'not --%s'\n",
                           verb, flag->name, flag->name);
}

static char *fish(void)
{
    struct heel_buffer to = {0};

    heel_buffer_append_text(&to,
                            "# fish completion for heelcli: heelcli completion fish | source\n");
    for (const struct cli_verb *verb = cli_verbs; verb->name; verb++) {
        size_t group = 0, index = 0;
        const struct cli_flag *flag;

        heel_buffer_printf(&to, "complete -c heelcli -n __fish_use_subcommand -fa %s -d ",
                           verb->name);
        append_quoted(&to, verb->summary);
        heel_buffer_append_text(&to, "\n");
        while ((flag = cli_flags_next(verb, &group, &index)))
            append_fish_flag(&to, verb->name, flag);
    }
    return to.data;
}

char *cli_completion(const char *shell)
{
    static const struct {
        const char *name;
        char *(*make)(void);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(shells); i++)
        if (strcmp(shells[i].name, shell) == 0)
            return shells[i].make();
    return NULL;
}
