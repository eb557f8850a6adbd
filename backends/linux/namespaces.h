/* {user, network} namespace pairs: the slow half of a sandbox's namespaces, made ahead of time and
 * used again by the same uid. A network namespace takes 0.6 ms to make and as long to tear down;
 * nothing of a sandbox stays in one once its processes are dead: its sockets die with them, and no
 * command has the capabilities to change anything else. */
#ifndef HEEL_BACKENDS_LINUX_NAMESPACES_H
#define HEEL_BACKENDS_LINUX_NAMESPACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct heel_namespace_pair {
    int user;  /* owned */
    int net;   /* owned */
    uid_t uid; /* the one uid that exists in it, same number inside and outside */
    gid_t gid;
};

/* Makes one. 0, or -1 and *err. Single-threaded processes only. */
int heel_namespace_pair_make(uid_t uid, gid_t gid, struct heel_namespace_pair *pair,
                             struct heel_error **err);
void heel_namespace_pair_close(struct heel_namespace_pair *pair);

#define HEEL_POOL_IDLE_MAX 128

/* Those that no sandbox uses at the moment; the most recently used last. Zero-initialised is empty.
 */
struct heel_namespace_pool {
    struct heel_idle_pair {
        struct heel_namespace_pair pair;
        int64_t since_ms;
    } idle[HEEL_POOL_IDLE_MAX];
    size_t count;
};

/* Takes an idle pair of this identity, the warmest first. Whether there was one. */
bool heel_namespace_pool_take(struct heel_namespace_pool *pool, uid_t uid, gid_t gid,
                              struct heel_namespace_pair *pair);

/* Takes the pair over; the one that was idle longest goes when there are too many. */
void heel_namespace_pool_give(struct heel_namespace_pool *pool, struct heel_namespace_pair pair,
                              int64_t now_ms);

bool heel_namespace_pool_has(const struct heel_namespace_pool *pool, uid_t uid, gid_t gid);

/* Closes what has been idle since before `until_ms`, but keeps the `keep` warmest. */
void heel_namespace_pool_trim(struct heel_namespace_pool *pool, int64_t until_ms, size_t keep);
void heel_namespace_pool_clear(struct heel_namespace_pool *pool);

#endif
