/* Access to a tree with holes, as rules that can only allow.
 *
 * Landlock's rules add up from a path to the root, so what one gives to a directory no other takes
 * from what lies in it. "Read all of /home/me but .ssh" is therefore a rule for each entry of
 * /home/me but that one. A directory that was opened like this keeps what all in it have in common:
 * with only writing refused somewhere below, all of it can still be read and listed. What is made
 * in it later has no rule of its own and gets no more than that: stricter than asked for, never
 * weaker. */
#ifndef HEEL_BACKENDS_LINUX_PLAN_PLAN_SIBLINGS_H
#define HEEL_BACKENDS_LINUX_PLAN_PLAN_SIBLINGS_H

#include <stddef.h>
#include <stdint.h>

#include "backends/linux/plan/plan.h"

/* What is to hold at a path and below it, down to the next grant. */
struct heel_grant {
    char *path;         /* owned; absolute, canonical */
    uint64_t rights;    /* HEEL_LANDLOCK_*; 0: a hole */
    const char *origin; /* a literal */
    unsigned flags;     /* of its rule */
    uint64_t device;    /* as in struct heel_rule */
    uint64_t inode;
};

struct heel_grants {
    struct heel_grant *items; /* owned */
    size_t count;
};

/* Adds one; on a path that has one already the later takes its place. Valid until the next. */
struct heel_grant *heel_grants_add(struct heel_grants *grants, const char *path, uint64_t rights,
                                   const char *origin);
void heel_grants_clear(struct heel_grants *grants);

/* An entry of a directory. */
struct heel_sibling {
    char *name; /* owned */
    uint64_t device;
    uint64_t inode;
};

struct heel_siblings {
    struct heel_sibling *items; /* owned */
    size_t count;
    size_t capacity;
};

void heel_siblings_add(struct heel_siblings *siblings, const char *name, uint64_t device,
                       uint64_t inode);

/* Lists a directory, symbolic links left out: they have no rules. 0, or -1 where it can't be
 * listed; then only what grants name in it gets rules. */
typedef int heel_list_directory(void *data, const char *directory, struct heel_siblings *siblings);

/* Lists the host's, as this thread's user; `data` is not used. */
heel_list_directory heel_siblings_of_host;

/* Adds the rules that `grants`, which it sorts, come to. 0, or -1 and *err where that would take
 * more rules than are sensible. */
int heel_plan_add_grants(struct heel_plan *plan, struct heel_grants *grants,
                         heel_list_directory *list, void *data, struct heel_error **err);

#endif
