/* The word that somebody probably meant. */
#ifndef HEEL_CLI_NEAREST_H
#define HEEL_CLI_NEAREST_H

#include <stddef.h>

/* Edits between two words: a letter added, removed or changed, or two neighbours swapped. */
size_t cli_edit_distance(const char *a, const char *b);

/* Keeps in *best the nearer of it and `candidate` to `word`; *best is NULL at first, and stays so
 * while nothing is near. */
void cli_nearest(const char *word, const char *candidate, const char **best);

#endif
