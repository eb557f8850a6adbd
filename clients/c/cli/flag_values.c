#include "clients/c/cli/flag_values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/text.h"
#include "clients/c/cli/flags.h"

int cli_invalid(struct heel_error **err, const char *format, const char *value)
{
    return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL, format, value);
}

const struct cli_choice *cli_choose(const struct cli_choice *choices, const char *name)
{
    for (; choices->name; choices++)
        if (strcmp(choices->name, name) == 0)
            return choices;
    return NULL;
}

int cli_parse_text(const char *value, const char *what, const char **text, struct heel_error **err)
{
    if (!*value)
        return cli_invalid(err, "the %s is empty", what);
    *text = value;
    return 0;
}

int cli_parse_duration(const char *value, int64_t *milliseconds, struct heel_error **err)
{
    if (heel_duration_parse(value, milliseconds))
        return cli_invalid(err, "\"%s\" is no duration: write it as in 500ms, 30s, 5m or 1h30m",
                           value);
    return 0;
}

/* ---- numbers ---- */

/* A whole number, and what stands behind it. 0 or -1. */
static int parse_digits(const char *text, uint64_t *number, const char **rest)
{
    unsigned long long parsed;
    char *end;

    errno = 0;
    parsed = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || errno)
        return -1;
    *number = parsed;
    *rest = end;
    return 0;
}

/* The powers of 1024 that a unit stands for; -1 for what is none. "512M", "512MB" and "512MiB" are
 * the same. */
static int unit_of(const char *text)
{
    static const char letters[] = "KMGT";
    const char *letter = *text ? strchr(letters, *text >= 'a' ? *text - 'a' + 'A' : *text) : NULL;

    if (strcmp(text, "") == 0 || strcmp(text, "B") == 0)
        return 0;
    if (!letter || (text[1] && strcmp(text + 1, "B") != 0 && strcmp(text + 1, "iB") != 0))
        return -1;
    return (int)(letter - letters) + 1;
}

int cli_parse_size(const char *value, uint64_t *bytes, struct heel_error **err)
{
    const char *rest = "";
    uint64_t number = 0;
    int unit = parse_digits(value, &number, &rest) || !number ? -1 : unit_of(rest);

    if (unit < 0 || number > UINT64_MAX >> (10 * unit))
        return cli_invalid(err, "\"%s\" is no size: write it as in 65536, 512K, 512M or 2G", value);
    *bytes = number << (10 * unit);
    return 0;
}

int cli_parse_count(const char *value, uint64_t most, uint64_t *count, struct heel_error **err)
{
    const char *rest = "";
    uint64_t number = 0;

    if (parse_digits(value, &number, &rest) || *rest || !number || number > most)
        return cli_invalid(err, "\"%s\" is no number that can be meant here", value);
    *count = number;
    return 0;
}

int cli_parse_number(const char *value, uint64_t *number, struct heel_error **err)
{
    const char *rest = "";
    uint64_t parsed = 0;

    if (parse_digits(value, &parsed, &rest) || *rest)
        return cli_invalid(err, "\"%s\" is no whole number", value);
    *number = parsed;
    return 0;
}

/* ---- pairs ---- */

void cli_pairs_set(struct cli_pairs *pairs, char *name, char *value)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (strcmp(pairs->items[i].name, name) == 0) {
            free((char *)(uintptr_t)pairs->items[i].value);
            pairs->items[i].value = value;
            free(name);
            return;
        }
    pairs->items = heel_xrealloc(pairs->items, pairs->count + 1, sizeof(*pairs->items));
    pairs->items[pairs->count++] = (struct heel_pair){name, value};
}

int cli_parse_pair(struct cli_pairs *pairs, const char *text, const char *otherwise,
                   struct heel_error **err)
{
    const char *equals = strchr(text, '=');

    if (!equals || equals == text)
        return cli_invalid(err, otherwise, text);
    cli_pairs_set(pairs, strndup(text, (size_t)(equals - text)), heel_xstrdup(equals + 1));
    return 0;
}

void cli_pairs_clear(struct cli_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free((char *)(uintptr_t)pairs->items[i].name);
        free((char *)(uintptr_t)pairs->items[i].value);
    }
    free(pairs->items);
    *pairs = (struct cli_pairs){0};
}
