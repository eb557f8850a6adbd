#include "server/complaints.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "backends/backend.h"
#include "base/text.h"

#define LINE_MAX_BYTES 4096 /* of a longer line only the beginning is looked at */
#define PATH_MAX_BYTES 1024

static const struct {
    const char *text; /* in whatever case */
    unsigned accesses;
    bool absent;
} phrases[] = {
    {"read-only file system", HEEL_ACCESS_WRITE, false},
    {"permission denied", HEEL_ACCESS_READ | HEEL_ACCESS_WRITE | HEEL_ACCESS_EXECUTE, false},
    {"operation not permitted", HEEL_ACCESS_WRITE, false},
    {"no such file or directory", HEEL_ACCESS_READ, true},
};

static bool is_path_end(char c, char quote)
{
    if (quote)
        return c == quote;
    return isspace((unsigned char)c) || strchr(":,;()[]'\"`", c) != NULL;
}

/* Where a path ends that begins at `at`. */
static const char *end_of_path(const char *at, char quote)
{
    while (*at && !is_path_end(*at, quote))
        at++;
    return at;
}

/* A path stands in quotes, or begins a word with a slash or a dot and a slash. */
static bool begins_path(const char *line, const char *at, char *quote)
{
    bool after_quote = at > line && (at[-1] == '\'' || at[-1] == '"' || at[-1] == '`');
    bool after_space = at == line || isspace((unsigned char)at[-1]) || at[-1] == ':';

    *quote = after_quote ? (char)(at[-1] == '`' ? '\'' : at[-1]) : '\0';
    if (after_quote && *at && !isspace((unsigned char)*at))
        return strchr(at, *quote) != NULL;
    return after_space && (*at == '/' || strncmp(at, "./", 2) == 0 || strncmp(at, "../", 3) == 0);
}

/* The last path of the line before `limit`, or the first after it: programs put the path on either
 * side of the text, and its own name before both. */
static bool find_path(const char *line, const char *limit, const char **path, size_t *length)
{
    bool found = false;
    char quote;

    for (const char *at = line; *at; at++) {
        const char *end;

        if (!begins_path(line, at, &quote))
            continue;
        if (found && at > limit)
            break;
        end = end_of_path(at, quote);
        if (end == at || end - at > PATH_MAX_BYTES)
            continue;
        *path = at;
        *length = (size_t)(end - at);
        found = true;
        at = end - 1;
    }
    return found;
}

static bool is_known(const struct complaint *complaints, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(complaints[i].path, path) == 0)
            return true;
    return false;
}

static char *absolute(const char *path, size_t length, const char *working_dir)
{
    heel_autofree char *copy = strndup(path, length);

    return copy[0] == '/' ? heel_xstrdup(copy) : heel_format("%s/%s", working_dir, copy);
}

/* Whether the line held one that is new. */
static bool take_line(const char *line, const char *working_dir, struct complaint *complaints,
                      size_t count)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(phrases); i++) {
        const char *at = strcasestr(line, phrases[i].text), *path = NULL;
        heel_autofree char *full = NULL;
        size_t length = 0;

        if (!at || !find_path(line, at, &path, &length))
            continue;
        full = absolute(path, length, working_dir);
        if (is_known(complaints, count, full))
            return false;
        complaints[count] =
            (struct complaint){heel_steal(full), phrases[i].accesses, phrases[i].absent};
        return true;
    }
    return false;
}

size_t complaints_find(const char *text, size_t length, const char *working_dir,
                       struct complaint complaints[COMPLAINTS_MAX])
{
    const char *end = text + length;
    size_t count = 0;

    while (text < end && count < COMPLAINTS_MAX) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t bytes = (size_t)((newline ? newline : end) - text);
        char line[LINE_MAX_BYTES + 1];
        size_t kept = bytes < LINE_MAX_BYTES ? bytes : LINE_MAX_BYTES;

        memcpy(line, text, kept);
        line[kept] = '\0';
        count += take_line(line, working_dir, complaints, count);
        text += bytes + 1;
    }
    return count;
}

void complaints_clear(struct complaint *complaints, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(complaints[i].path);
}
