/* Which uid and gid a sandbox runs as. */
#ifndef HEEL_BACKENDS_LINUX_IDENTITY_IDENTITY_H
#define HEEL_BACKENDS_LINUX_IDENTITY_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "backends/backend.h"

struct heel_identity {
    uid_t uid;
    gid_t gid;
    bool from_range;
    bool named; /* the spec says so, and its paths are opened with its rights */
};

/* The uids of root's range that no other heeld has. Those that came back last go out first: the
 * launcher still has their namespaces; so none is given back to others before this heeld ends. The
 * one that goes out next is fixed ahead of time, so that the launcher can have an init ready. */
struct heel_identities {
    bool own;   /* there is a range, and this process can use it */
    bool alone; /* this process's uid is the only one that there is for it */
    uid_t first;
    uid_t count;
    int locks;       /* owned; of uid_locks.h, -1: there are none */
    uid_t fresh;     /* how many were ever taken out of the range, or found to be another heeld's */
    uid_t next;      /* the next to go out; 0: none has been fixed */
    uid_t *returned; /* owned */
    size_t returned_count;
    size_t returned_capacity;
};

/* Whether this process can give sandboxes uids out of this range: it is root, and the range is in
 * its user namespace. Root of a container that has but one uid can't, and is like an ordinary user.
 */
bool heel_identities_usable(uid_t first, uid_t count);

/* Whether this process's user namespace has no other uid than its own. */
bool heel_identities_alone(void);

/* As an ordinary user: that user. As root: a uid of the sandbox's own, unless a caller other than
 * root names host paths or keeps the working directory: then the caller's own, so that it gets
 * there what it has anyway. Or the one that spec->run_as names, if the caller may. 0, or -1 and
 * *err. */
int heel_identity_take(struct heel_identities *identities, const struct heel_sandbox_spec *spec,
                       struct heel_identity *identity, struct heel_error **err);

/* The uid that the next sandbox will get, if it gets one of the range; 0 if none is left, or there
 * is no range. */
uid_t heel_identity_next(struct heel_identities *identities);
void heel_identity_return(struct heel_identities *identities, const struct heel_identity *identity);
void heel_identities_free(struct heel_identities *identities);

#endif
