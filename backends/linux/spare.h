/* An init that is born before anyone asked for it, and waits in its new namespaces for a sandbox to
 * belong to. */
#ifndef HEEL_BACKENDS_LINUX_SPARE_H
#define HEEL_BACKENDS_LINUX_SPARE_H

#include <stdbool.h>
#include <sys/resource.h>

#include "backends/linux/birth.h"

struct heel_spare {
    struct heel_newborn newborn;     /* its pidfd is owned */
    struct heel_namespace_pair pair; /* what it lives in; owned by whoever remembers the pid */
    int cradle; /* owned; the socket on which it waits; -1: there is no spare */
    int mounts; /* owned; /proc/self/mountinfo, which tells when the host's mounts change */
};

/* No spare yet. */
void heel_spare_init(struct heel_spare *spare);

/* Makes one in `pair`, which must outlive it. 0, or -1 and *err. */
int heel_spare_make(struct heel_spare *spare, const struct heel_namespace_pair *pair,
                    rlim_t open_files, struct heel_error **err);

/* Gives the spare, if there is one of this identity, its control socket. Whether it took it: then
 * `pidfd` is the caller's, and there is no spare any more. One that saw the host's mounts as they
 * were before a change is of no use: it is killed instead. */
bool heel_spare_adopt(struct heel_spare *spare, uid_t uid, gid_t gid, int control, int *pidfd);

/* The process `pid` died. If it was the spare, there is none any more. */
void heel_spare_died(struct heel_spare *spare, pid_t pid);

/* Whether there is one of this identity. */
bool heel_spare_is_for(const struct heel_spare *spare, uid_t uid, gid_t gid);

/* Kills it, if there is one. */
void heel_spare_drop(struct heel_spare *spare);

#endif
