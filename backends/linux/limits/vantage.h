/* Where a sandbox's use of things can be seen from: descriptors that init opens before it runs
 * anything, and gives to heeld, which reads them with its own rights. Those suffice also for what a
 * program hides from others of its uid (PR_SET_DUMPABLE): heeld's user owns the sandbox's user
 * namespace. */
#ifndef HEEL_BACKENDS_LINUX_LIMITS_VANTAGE_H
#define HEEL_BACKENDS_LINUX_LIMITS_VANTAGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "backends/linux/messages/message.h"
#include "base/error.h"

struct heel_vantage {
    int proc;    /* owned; the /proc of its pid namespace; -1: there is no vantage */
    int pids;    /* owned; the pid namespace */
    int scratch; /* owned; O_PATH; on the tmpfs that /tmp, /dev/shm and HOME are of */
    int shm;     /* owned; /proc/sysvipc/shm of its ipc namespace */
    /* Without namespaces `proc` is the host's and the sandbox is what descends from its holder, but
     * for the nursery while that lives; scratch space is on disk, and there are no segments. */
    pid_t holder;  /* 0: it has namespaces */
    pid_t nursery; /* `pids` is its pidfd then */
};

#define HEEL_VANTAGE_NONE \
    { \
        .proc = -1, .pids = -1, .scratch = -1, .shm = -1 \
    }

/* From inside: `scratch` is a directory on that tmpfs. 0, or -1 and *err. */
int heel_vantage_open(const char *scratch, struct heel_vantage *vantage, struct heel_error **err);
/* The same without namespaces, from the holder. */
int heel_vantage_open_bare(const char *scratch, pid_t nursery, struct heel_vantage *vantage,
                           struct heel_error **err);
void heel_vantage_close(struct heel_vantage *vantage);

/* Adds the descriptors to a message, which borrows them, and takes them out of a received one. No
 * vantage adds none. */
void heel_vantage_attach(const struct heel_vantage *vantage, struct heel_message *message);
bool heel_vantage_take(struct heel_vantage *vantage, struct heel_message *message);

#endif
