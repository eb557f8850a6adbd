#include "backends/linux/identity/uid_locks.h"

#include <errno.h>
#include <fcntl.h>

#include "base/runtime_dir.h"
#include "base/text.h"

int heel_uid_locks_open(const char *folder)
{
    heel_autofree char *path = heel_format("%s/uids", folder);

    if (heel_runtime_dir_make(folder, NULL))
        return -1;
    return open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* The lock of a byte whose place is the uid: locks can lie behind the end of a file. The kernel
 * keeps neighbouring ones of one owner as one, and drops them with the last descriptor, however
 * this process ends. */
bool heel_uid_lock(int locks, uid_t uid)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)uid, .l_len = 1};

    return locks < 0 || fcntl(locks, F_OFD_SETLK, &lock) == 0 ||
           (errno != EAGAIN && errno != EACCES);
}
