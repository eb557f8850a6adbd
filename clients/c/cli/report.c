#include "clients/c/cli/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

char *cli_escaped(const char *text)
{
    struct heel_buffer to = {0};

    heel_buffer_reserve(&to, 1)[0] = '\0';
    heel_buffer_append_escaped(&to, text, strlen(text));
    return to.data;
}

/* Names and paths in a message may be what a sandbox chose; quotes are ours, and stay. */
static void append_message(struct heel_buffer *to, const char *message)
{
    for (const char *quote; (quote = strpbrk(message, "\"\\")); message = quote + 1) {
        heel_buffer_append_escaped(to, message, (size_t)(quote - message));
        heel_buffer_append(to, quote, 1);
    }
    heel_buffer_append_escaped(to, message, strlen(message));
}

char *cli_sentence(const char *message)
{
    struct heel_buffer to = {0};

    heel_buffer_reserve(&to, 1)[0] = '\0';
    append_message(&to, message);
    return to.data;
}

/* The name before a sentence on stderr. */
static void print_name(bool is_error)
{
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
    bool colored = is_error && isatty(STDERR_FILENO) && !(no_color && *no_color) && terminal &&
                   strcmp(terminal, "dumb") != 0;

    fputs(colored ? "\033[1;31mheelcli:\033[0m " : "heelcli: ", stderr);
}

void cli_report(const struct heel_error *error, bool json)
{
    heel_autobuffer struct heel_buffer line = {0};
    heel_autofree char *as_json = NULL;

    if (json) {
        as_json = heel_error_json(error);
        fprintf(stderr, "%s\n", as_json);
        return;
    }
    append_message(&line, heel_error_message(error));
    print_name(true);
    fprintf(stderr, "%s\n", line.data ? line.data : "");
}

void cli_note(const char *format, ...)
{
    heel_autobuffer struct heel_buffer line = {0};
    heel_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = heel_vformat(format, arguments);
    va_end(arguments);
    append_message(&line, text);
    print_name(false);
    fprintf(stderr, "%s\n", line.data);
}

void cli_note_acting_files(const struct heel_acting_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        heel_autofree char *path = cli_escaped(files->items[i].path);

        cli_note("it left \"%s\" behind: %s", path, files->items[i].reason);
    }
    if (files->incomplete)
        cli_note("it may have left more behind that acts later: not everything was searched");
}

static void note_denial(const struct heel_denial *denial)
{
    heel_autofree char *program = cli_escaped(denial->program);
    heel_autofree char *target = cli_escaped(denial->target);
    bool observed = denial->kind == HEEL_DENIAL_OBSERVED;

    cli_note("the sandbox %s %s %s%s \"%s\": %s%s%s",
             observed ? "did not let" : "probably did not allow", *program ? program : "it",
             observed ? "" : "to ", denial->right, target, denial->rule,
             *denial->remedy ? "; " : "", denial->remedy);
}

void cli_note_denials(const struct heel_denials *denials)
{
    for (size_t i = 0; i < denials->count; i++)
        note_denial(&denials->items[i]);
    if (denials->truncated)
        cli_note("the sandbox refused more than these");
}

int cli_print(char *text, struct heel_error **err)
{
    heel_autofree char *owned = text;
    size_t length = strlen(owned);

    if (fwrite(owned, 1, length, stdout) != length ||
        (length && owned[length - 1] != '\n' && putchar('\n') == EOF) || fflush(stdout))
        return heel_error_set_errno(err, errno, "standard output can't be written");
    return 0;
}

char *cli_time(int64_t milliseconds)
{
    time_t seconds = (time_t)(milliseconds / 1000);
    char text[64] = "";
    struct tm broken;

    if (localtime_r(&seconds, &broken))
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &broken);
    return heel_xstrdup(text);
}

char *cli_duration(int64_t milliseconds)
{
    static const struct {
        const char *name;
        int64_t milliseconds;
    } units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    struct heel_buffer to = {0};
    int shown = 0;

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(units) && shown < 2; i++) {
        int64_t count = milliseconds / units[i].milliseconds;

        milliseconds %= units[i].milliseconds;
        if (count)
            heel_buffer_printf(&to, "%lld%s", (long long)count, units[i].name);
        shown += count || shown;
    }
    if (!to.length)
        heel_buffer_append_text(&to, "0s");
    return to.data;
}
