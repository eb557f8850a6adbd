#include "clients/c/cli/nearest.h"

#include <string.h>

/* Longer words are nobody's typing error. */
#define WORD_MAX 40

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t cli_edit_distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1]; /* this one and the two before it */
    size_t a_length = strlen(a), b_length = strlen(b);

    if (a_length > WORD_MAX || b_length > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = least(above[j] + 1, row[j - 1] + 1);
            row[j] = least(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

void cli_nearest(const char *word, const char *candidate, const char **best)
{
    size_t distance = cli_edit_distance(word, candidate);
    size_t most = strlen(word) <= 3 ? 1 : strlen(word) / 3 + 1;

    if (strncmp(word, candidate, strlen(word)) == 0 && strlen(word) >= 3)
        distance = 1; /* an abbreviation */
    if (distance > most)
        return;
    if (!*best || distance < cli_edit_distance(word, *best))
        *best = candidate;
}
