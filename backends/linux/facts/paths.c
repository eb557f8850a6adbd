#include "backends/linux/facts/paths.h"

#include <string.h>

bool heel_path_is_at_or_below(const char *path, const char *directory)
{
    size_t length = strlen(directory);

    if (length == 1 && directory[0] == '/')
        return true;
    return strncmp(path, directory, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

int heel_path_compare(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    if (*a == *b)
        return 0;
    if (*a == '/' || *b == '/') /* sorts before any other character, and after the end */
        return *a == '/' ? (*b ? -1 : 1) : (*a ? 1 : -1);
    return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}
