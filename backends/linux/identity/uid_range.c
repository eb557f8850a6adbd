#include "backends/linux/identity/uid_range.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Lines of fields between colons. */
static const struct {
    const char *name;
    unsigned first_field; /* counted from 0 */
    int count_field;      /* -1: it is one id */
} files[] = {
    {"passwd", 2, -1},
    {"group", 2, -1},
    {"subuid", 1, 2},
    {"subgid", 1, 2},
};

/* The number in a field; -1 if there is none. */
static long long number_at(const char *line, unsigned field)
{
    char *end;
    long long number;

    for (; field > 0 && line; field--) {
        line = strchr(line, ':');
        line = line ? line + 1 : NULL;
    }
    if (!line || *line < '0' || *line > '9')
        return -1;
    number = strtoll(line, &end, 10);
    return *end == ':' || *end == '\n' || *end == '\0' ? number : -1;
}

static int refuse(uid_t first, uid_t count, const char *path, const char *line,
                  struct heel_error **err)
{
    return heel_error_set(err, HEEL_INVALID_ARGUMENT, "INVALID_FIELD",
                          "the uids %u to %u can't be given to sandboxes: \"%.*s\" in %s has some "
                          "of them; choose others with --uid-range",
                          (unsigned)first, (unsigned)(first + count - 1), (int)strcspn(line, "\n"),
                          line, path);
}

static int check_line(uid_t first, uid_t count, size_t file, const char *path, const char *line,
                      struct heel_error **err)
{
    long long from = number_at(line, files[file].first_field), length = 1;

    if (files[file].count_field >= 0)
        length = number_at(line, (unsigned)files[file].count_field);
    if (from < 0 || length <= 0 || from >= (long long)first + count ||
        length <= (long long)first - from) /* their sum could overflow */
        return 0;
    return refuse(first, count, path, line, err);
}

static int check_file(uid_t first, uid_t count, size_t file, const char *etc,
                      struct heel_error **err)
{
    heel_autofree char *path = heel_format("%s/%s", etc, files[file].name);
    heel_autofree char *line = NULL;
    FILE *stream = fopen(path, "re");
    size_t room = 0;
    int result = 0;

    if (!stream)
        return 0;
    while (result == 0 && getline(&line, &room, stream) > 0)
        result = check_line(first, count, file, path, line, err);
    fclose(stream);
    return result;
}

int heel_uid_range_check(uid_t first, uid_t count, const char *etc, struct heel_error **err)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(files); i++)
        if (check_file(first, count, i, etc, err))
            return -1;
    return 0;
}
