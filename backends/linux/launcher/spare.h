/* An init that is born before anyone asked for it, and waits in its new namespaces for a sandbox to
 * belong to. */
#ifndef HEEL_BACKENDS_LINUX_LAUNCHER_SPARE_H
#define HEEL_BACKENDS_LINUX_LAUNCHER_SPARE_H

#include <stdbool.h>

#include "backends/linux/processes/birth.h"

struct heel_quotas;

struct heel_spare {
    struct heel_newborn newborn;     /* its pidfd is owned */
    struct heel_namespace_pair pair; /* what it lives in; owned by whoever remembers the pid */
    int level;  /* of the template of which its mounts are a copy; -1: they are the host's */
    int cradle; /* owned; the socket on which it waits; -1: there is no spare */
};

/* No spare yet. */
void heel_spare_init(struct heel_spare *spare);

/* Makes one in `pair`, which must outlive it, with a copy of its template of this level (-1:
 * without one; `works` as in confine.h). 0, or -1 and *err. */
int heel_spare_make(struct heel_spare *spare, const struct heel_namespace_pair *pair, int level,
                    const char *works, const struct heel_quotas *quotas, struct heel_error **err);

/* Gives the spare, if there is one for such a sandbox, its control socket. Whether it took it: then
 * `pidfd` is the caller's, and there is no spare any more. */
bool heel_spare_adopt(struct heel_spare *spare, uid_t uid, gid_t gid, int level, int control,
                      int *pidfd);

/* The process `pid` died. If it was the spare, there is none any more. */
void heel_spare_died(struct heel_spare *spare, pid_t pid);

/* Whether there is one for a sandbox of this identity and level (-1: its caller named paths). */
bool heel_spare_is_for(const struct heel_spare *spare, uid_t uid, gid_t gid, int level);

/* Kills it, if there is one. */
void heel_spare_drop(struct heel_spare *spare);

#endif
