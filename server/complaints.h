/* Finds, in what a program wrote to stderr, the error messages about paths that it could not use.
 */
#ifndef HEEL_SERVER_COMPLAINTS_H
#define HEEL_SERVER_COMPLAINTS_H

#include <stdbool.h>
#include <stddef.h>

#define COMPLAINTS_MAX 16

struct complaint {
    char *path;        /* owned; absolute */
    unsigned accesses; /* of enum heel_access, which of them it may have been */
    bool absent;       /* the program found nothing there */
};

/* Looks for the C library's error texts (EACCES, EPERM, EROFS, ENOENT) in the lines of `text`, as
 * shells, coreutils, Python, Node and Go print them, and for the path beside them. Relative paths
 * are taken to be below `working_dir`. How many were found, at most COMPLAINTS_MAX. */
size_t complaints_find(const char *text, size_t length, const char *working_dir,
                       struct complaint complaints[COMPLAINTS_MAX]);
void complaints_clear(struct complaint *complaints, size_t count);

#endif
