/* Whether the host uids that root's sandboxes run as are anybody else's. */
#ifndef HEEL_BACKENDS_LINUX_IDENTITY_UID_RANGE_H
#define HEEL_BACKENDS_LINUX_IDENTITY_UID_RANGE_H

#include <sys/types.h>

#include "base/error.h"

/* Refuses a range in which a user or group of `etc`/passwd or `etc`/group lies, or that overlaps
 * what `etc`/subuid or `etc`/subgid gives to somebody: a sandbox would have that one's files. What
 * only a directory service knows is not looked up. A file that isn't there says nothing. 0, or -1
 * and *err, which names the entry. */
int heel_uid_range_check(uid_t first, uid_t count, const char *etc, struct heel_error **err);

#endif
