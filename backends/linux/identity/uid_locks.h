/* Which uids of root's range are taken, said to every heeld of the machine: each one that root
 * runs, those of `heelcli run` among them, begins at the same end of the same range. */
#ifndef HEEL_BACKENDS_LINUX_IDENTITY_UID_LOCKS_H
#define HEEL_BACKENDS_LINUX_IDENTITY_UID_LOCKS_H

#include <stdbool.h>
#include <sys/types.h>

/* Opens the file of locks in `folder`, which is made if it isn't there. -1 where that can't be:
 * then heelds that run at the same time can give out the same uids. The caller's descriptor. */
int heel_uid_locks_open(const char *folder);

/* Whether `uid` is this heeld's now, for as long as it lives and has the descriptor open: nobody
 * else had taken it, or `locks` is -1. */
bool heel_uid_lock(int locks, uid_t uid);

#endif
