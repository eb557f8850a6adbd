/* The kernel's file-descriptor based mount calls, which Debian 12's headers and libc know only in
 * part. */
#ifndef HEEL_BACKENDS_LINUX_KERNEL_MOUNT_CALLS_H
#define HEEL_BACKENDS_LINUX_KERNEL_MOUNT_CALLS_H

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

static inline int heel_open_tree(int directory, const char *path, unsigned flags)
{
    return (int)syscall(SYS_open_tree, directory, path,
                        flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

/* `tree` becomes visible at `path` below `directory`, or at `directory` itself where path is "". */
static inline int heel_move_mount(int tree, int directory, const char *path)
{
    return (int)syscall(SYS_move_mount, tree, "", directory, path,
                        (unsigned)MOVE_MOUNT_F_EMPTY_PATH |
                            (path[0] ? 0U : (unsigned)MOVE_MOUNT_T_EMPTY_PATH));
}

static inline int heel_mount_set(int mount, unsigned at_flags, uint64_t set, uint64_t clear)
{
    struct mount_attr attributes = {.attr_set = set, .attr_clr = clear};

    return (int)syscall(SYS_mount_setattr, mount, "", at_flags | AT_EMPTY_PATH, &attributes,
                        sizeof(attributes));
}

static inline int heel_fsopen(const char *type)
{
    return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

static inline int heel_fsconfig(int context, unsigned command, const char *key, const char *value)
{
    return (int)syscall(SYS_fsconfig, context, command, key, value, 0);
}

static inline int heel_fsmount(int context, unsigned attributes)
{
    return (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
}

static inline int heel_openat2(int directory, const char *path, uint64_t flags, uint64_t resolve)
{
    struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve};

    return (int)syscall(SYS_openat2, directory, path, &how, sizeof(how));
}

#endif
