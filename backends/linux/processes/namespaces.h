/* {user, network} namespace pairs: the slow half of a sandbox's namespaces, made ahead of time and
 * used again by the same uid. A network namespace takes 0.6 ms to make and as long to tear down;
 * nothing of a sandbox stays in one once its processes are dead: its sockets die with them, and no
 * command has the capabilities to change anything else. */
#ifndef HEEL_BACKENDS_LINUX_PROCESSES_NAMESPACES_H
#define HEEL_BACKENDS_LINUX_PROCESSES_NAMESPACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define HEEL_LEVELS 3

/* A mount namespace to be copied by sandboxes in a pair. */
struct heel_template {
    int mounts;           /* owned; -1: there is none */
    uint64_t fingerprint; /* of the plans that it is for */
};

struct heel_namespace_pair {
    int user;     /* owned */
    int net;      /* owned */
    int sockstat; /* owned; what counts the network namespace's sockets */
    uid_t uid;    /* the one uid that exists in it, same number inside and outside */
    gid_t gid;
    unsigned uses;       /* sandboxes that lived in it and ended */
    unsigned generation; /* of the host's mounts, as the templates show them */
    struct heel_template templates[HEEL_LEVELS]; /* by level */
};

/* Makes one. 0, or -1 and *err. Single-threaded processes only. */
int heel_namespace_pair_make(uid_t uid, gid_t gid, struct heel_namespace_pair *pair,
                             struct heel_error **err);
void heel_namespace_pair_close(struct heel_namespace_pair *pair);

/* Whether no socket is left of the sandbox that lived in it: one that it handed out lives on, and
 * would lead its holder to the loopback of the next. */
bool heel_namespace_pair_is_clean(const struct heel_namespace_pair *pair);
void heel_namespace_pair_forget_templates(struct heel_namespace_pair *pair);

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

/* Takes an idle pair of this identity, one with a template for this level (-1: any) if there is
 * one, and the warmest of those. Whether there was one. */
bool heel_namespace_pool_take(struct heel_namespace_pool *pool, uid_t uid, gid_t gid, int level,
                              struct heel_namespace_pair *pair);

/* Takes the pair over; the one that was idle longest goes when there are too many. */
void heel_namespace_pool_give(struct heel_namespace_pool *pool, struct heel_namespace_pair pair,
                              int64_t now_ms);

void heel_namespace_pool_forget_templates(struct heel_namespace_pool *pool);

/* Closes what has been idle since before `until_ms`, but keeps the `keep` warmest. */
void heel_namespace_pool_trim(struct heel_namespace_pool *pool, int64_t until_ms, size_t keep);

#endif
