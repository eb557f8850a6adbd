/* Files that act outside later: what programs of the host read, run or obey when somebody works in
 * a directory that a sandbox could write to. */
#ifndef HEEL_BACKENDS_LINUX_PLAN_ACTING_NAMES_H
#define HEEL_BACKENDS_LINUX_PLAN_ACTING_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct heel_acting_name {
    const char *path;   /* a name, or the last few of a path; whatever directory they lie in */
    const char *reason; /* who acts on it */
    bool repository;    /* what leads to it must not be renamed either */
};

extern const struct heel_acting_name heel_acting_names[];
extern const size_t heel_acting_name_count;

/* A repository's folder by what lies in it, whatever its name: a bare one, a module's, a work
 * tree's. */
extern const struct heel_acting_name heel_acting_repository;

/* A program that lends its owner's rights, or its group's, to whoever runs it. */
extern const struct heel_acting_name heel_acting_set_id;

/* The entry for `path`, which is absolute, or NULL. Case doesn't matter, as there are file systems
 * on which it doesn't. */
const struct heel_acting_name *heel_acting_name_of(const char *path);

/* The same for `path` or a directory that it lies in; *length is then how much of `path` that is.
 */
const struct heel_acting_name *heel_acting_name_above(const char *path, size_t *length);

#endif
