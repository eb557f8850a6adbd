/* What heelcli says. */
#ifndef HEEL_CLI_REPORT_H
#define HEEL_CLI_REPORT_H

#include <stdbool.h>

#include "base/error.h"
#include "clients/c/cli/cli.h"

/* "heelcli: sentence" on stderr, or the error as JSON. */
void cli_report(const struct heel_error *error, bool json);

/* A sentence on stderr that is no error, "heelcli: " before it. */
void cli_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A note for each file that a sandbox left behind and that acts outside later. */
void cli_note_acting_files(const struct heel_acting_files *files);

/* A note for each thing that the sandbox refused. */
void cli_note_denials(const struct heel_denials *denials);

/* The text on stdout, and a newline; frees it. 0, or -1 and *err where it can't be written. */
int cli_print(char *text, struct heel_error **err);

/* `text` with what a terminal could take for a command escaped; the caller frees it. */
char *cli_escaped(const char *text);

/* The same for a sentence whose quotes and backslashes are heel's own; the caller frees it. */
char *cli_sentence(const char *message);

/* The two largest units that matter, as in "1h30m" or "4s"; the caller frees it. */
char *cli_duration(int64_t milliseconds);

/* As "2026-01-31 12:00:00", local time; the caller frees it. */
char *cli_time(int64_t milliseconds);

/* A page of help on a verb, or on all where `verb` is NULL; the caller frees it. */
char *cli_help_text(const struct cli_verb *verb);

#endif
