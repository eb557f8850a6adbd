/* What the values of flags mean. Every function that can fail returns 0, or -1 and *err, which need
 * not name the flag; what it writes to is written on success only. */
#ifndef HEEL_CLI_FLAG_VALUES_H
#define HEEL_CLI_FLAG_VALUES_H

#include <stdint.h>

#include "clients/c/cli/cli.h"

/* -1 and *err: `format` has one %s, which is `value`. */
int cli_invalid(struct heel_error **err, const char *format, const char *value);

/* A word and what it stands for. Lists of them end with one without a name. */
struct cli_choice {
    const char *name;
    int value;
};

/* NULL if there is none of this name. */
const struct cli_choice *cli_choose(const struct cli_choice *choices, const char *name);

/* Anything but nothing; `what` is what the error calls it, as in "path". */
int cli_parse_text(const char *value, const char *what, const char **text, struct heel_error **err);

/* "500ms", "30s", "5m", "1h30m". */
int cli_parse_duration(const char *value, int64_t *milliseconds, struct heel_error **err);

/* "65536", "512K", "512M", "2G": in powers of 1024, more than 0. */
int cli_parse_size(const char *value, uint64_t *bytes, struct heel_error **err);

/* A whole number from 1 to `most`. */
int cli_parse_count(const char *value, uint64_t most, uint64_t *count, struct heel_error **err);

/* A whole number, 0 among them. */
int cli_parse_number(const char *value, uint64_t *number, struct heel_error **err);

/* "NAME=VALUE"; a name that comes again replaces its value. `otherwise` is the error's format. */
int cli_parse_pair(struct cli_pairs *pairs, const char *text, const char *otherwise,
                   struct heel_error **err);

/* The same for what was taken apart already; both strings belong to `pairs` from now on. */
void cli_pairs_set(struct cli_pairs *pairs, char *name, char *value);

void cli_pairs_clear(struct cli_pairs *pairs);

#endif
