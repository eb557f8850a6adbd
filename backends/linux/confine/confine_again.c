/* A short-lived process of the launcher's: it enters the namespaces of a sandbox that runs, where
 * it has the privileges that the sandbox's init has given up, makes one mount and ends. Nothing
 * inside can see it: it stays in the launcher's pid namespace, and in no Landlock domain. */
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backends/linux/confine/confine.h"

#define TRIES 100

/* As in birth.c: root's ids don't exist in the sandbox's user namespace, so the sandbox's are
 * taken. */
static int enter(int user, int mounts, uid_t uid, gid_t gid)
{
    if (setns(user, CLONE_NEWUSER))
        return -1;
    if ((geteuid() != uid || getegid() != gid) &&
        (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, gid, gid, gid) ||
         syscall(SYS_setresuid, uid, uid, uid)))
        return -1;
    return setns(mounts, CLONE_NEWNS);
}

int heel_confine_cover(int user, int mounts, uid_t uid, gid_t gid, const struct heel_mount *mount)
{
    if (enter(user, mounts, uid, gid))
        return 1;
    /* What is there may vanish or be replaced between look and mount: then both are repeated. */
    for (int attempt = 0; attempt < TRIES; attempt++)
        if (heel_confine_again(mount, NULL) == 0)
            return 0;
    return 2;
}
