/* Canonical absolute paths, compared by their components. */
#ifndef HEEL_BACKENDS_LINUX_FACTS_PATHS_H
#define HEEL_BACKENDS_LINUX_FACTS_PATHS_H

#include <stdbool.h>

/* `path` is `directory` or lies below it. */
bool heel_path_is_at_or_below(const char *path, const char *directory);

/* Order in which directories come before what lies in them: as strcmp(), but '/' comes before every
 * other character. */
int heel_path_compare(const char *a, const char *b);

#endif
