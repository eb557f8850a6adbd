/* What a sandbox without namespaces is refused besides: whatever reaches the host by something else
 * than a path that Landlock sees. */
#include <errno.h>
#include <linux/fs.h>
#include <stdint.h>

#include "backends/linux/seccomp/seccomp_sets.h"
#include "base/cleanup.h"

/* clang-format off */
static const char *const sockets[] = {
    "socket", "bind", "listen", "connect", NULL,
};

static const char *const shared_objects[] = {
    "shmget", "shmat", "shmctl", "semget", "semop", "semctl", "semtimedop", "msgget", "msgsnd",
    "msgrcv", "msgctl", "mq_open", "mq_unlink", NULL,
};

static const char *const watching[] = {
    "inotify_init", "inotify_init1", "inotify_add_watch", NULL,
};

static const char *const ownership[] = {
    "chown", "fchown", "lchown", "fchownat", NULL,
};

static const char *const attributes[] = {
    "setxattr", "lsetxattr", "fsetxattr", "setxattrat", "removexattr", "lremovexattr",
    "fremovexattr", "removexattrat", "file_setattr", NULL,
};
/* clang-format on */

const struct heel_seccomp_set heel_seccomp_bare_sets[] = {
    {"sockets",
     "there is no network but the host's, Landlock knows TCP alone, and a Unix socket of the "
     "host's acts for whoever connects; pairs are not concerned",
     EACCES, sockets},
    {"shared objects", "System V's and POSIX message queues are the host's", EACCES,
     shared_objects},
    {"watching", "tells of folders that may not be read; programs fall back to looking again",
     ENOSYS, watching},
    {"ownership", "Landlock does not know it", EPERM, ownership},
    {"attributes", "Landlock does not know them; programs do without", EOPNOTSUPP, attributes},
};

const size_t heel_seccomp_bare_set_count = HEEL_ARRAY_LENGTH(heel_seccomp_bare_sets);

#define NOT_OWN \
    { \
        HEEL_SECCOMP_IS_NONE_OF, 0, UINT32_MAX, 1, \
        { \
            0 \
        } \
    }

#define IOCTL_IS(request) \
    { \
        HEEL_SECCOMP_IS, 1, UINT32_MAX, 1, \
        { \
            (uint32_t)(request) \
        } \
    }

static const char outside[] =
    "processes outside have numbers here, and nothing else keeps their user from changing them";

static const char file_attribute[] = "Landlock does not know them; programs do without";

const struct heel_seccomp_rule heel_seccomp_bare_rules[] = {
    {"ioctl", file_attribute, EPERM, {IOCTL_IS(FS_IOC_SETFLAGS)}},
    {"ioctl", file_attribute, EPERM, {IOCTL_IS(FS_IOC_FSSETXATTR)}},
    {"ioctl", file_attribute, EPERM, {IOCTL_IS(FS_IOC_SETVERSION)}},
    {"sched_setaffinity", outside, EPERM, {NOT_OWN}},
    {"sched_setscheduler", outside, EPERM, {NOT_OWN}},
    {"sched_setparam", outside, EPERM, {NOT_OWN}},
    {"sched_setattr", outside, EPERM, {NOT_OWN}},
};

const size_t heel_seccomp_bare_rule_count = HEEL_ARRAY_LENGTH(heel_seccomp_bare_rules);
