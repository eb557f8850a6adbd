#include "base/duration.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define MAX_MILLISECONDS 315576000000000.0 /* 10,000 years, as in google/protobuf/duration.proto \
                                            */

static const struct unit {
    const char *name;
    double milliseconds;
} units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
};

static double unit_at(const char *text, size_t length)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(units); i++) {
        if (strlen(units[i].name) == length && strncmp(units[i].name, text, length) == 0)
            return units[i].milliseconds;
    }
    return 0;
}

int heel_duration_parse(const char *text, int64_t *milliseconds)
{
    double total = 0;

    while (*text) {
        size_t digits = strspn(text, "0123456789.");
        size_t letters = strspn(text + digits, "mshd");
        double unit = unit_at(text + digits, letters);
        char *end;

        if (!isdigit((unsigned char)text[0]) || unit == 0)
            return -1;
        total += strtod(text, &end) * unit;
        if (end != text + digits)
            return -1;
        text += digits + letters;
    }
    if (total < 1 || total > MAX_MILLISECONDS)
        return -1;
    *milliseconds = (int64_t)total;
    return 0;
}
