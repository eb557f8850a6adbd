/* Every call that mounts, on throw-away folders; outside in a mount namespace of its own. */
#include "tests/confinement/probes/probe.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define TREE_CLONE 1U
#define OPEN_TREE_ATTR 467

static void try_flags(void)
{
    static const struct {
        const char *way;
        unsigned long flags;
        const char *source, *type;
    } kinds[] = {
        {"mount: tmpfs", 0, "none", "tmpfs"},          {"mount: proc", 0, "none", "proc"},
        {"mount: sysfs", 0, "none", "sysfs"},          {"mount: mqueue", 0, "none", "mqueue"},
        {"mount: devpts", 0, "none", "devpts"},        {"mount: bind", MS_BIND, ".", NULL},
        {"mount: rbind", MS_BIND | MS_REC, ".", NULL}, {"mount: private", MS_PRIVATE, NULL, NULL},
        {"mount: shared", MS_SHARED, NULL, NULL},      {"mount: slave", MS_SLAVE, NULL, NULL},
        {"mount: overlay", 0, "none", "overlay"},      {"mount: fuse", 0, "none", "fuse"},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const char *target = kinds[i].source ? "point" : "/";

        probe_permission(kinds[i].way,
                         mount(kinds[i].source, target, kinds[i].type, kinds[i].flags, NULL));
        if (kinds[i].source)
            umount2("point", MNT_DETACH);
    }
    probe_permission("mount: remount /proc/sys",
                     mount("none", "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL));
    probe_permission("mount: move", mount(".", "point", NULL, MS_MOVE, NULL));
    probe_permission("mount, high bits",
                     syscall(SYS_mount, "none", "point", "tmpfs", 1UL << 32, NULL));
    umount2("point", MNT_DETACH);
}

int main(void)
{
    uint64_t attributes[4] = {1};
    char kept[] = "/proc/keys";

    mkdir("point", 0700);
    if (probe_is_control() &&
        (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)) {
        probe_absent("mount", "it takes root");
        return probe_end();
    }
    try_flags();
    probe_permission("umount2 of a mask", umount2(kept, MNT_DETACH));
    probe_permission("umount2 of /proc/sys", umount2("/proc/sys", MNT_DETACH));
    probe_permission("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
    probe_permission("fspick", syscall(SYS_fspick, AT_FDCWD, "/proc", 0));
    probe_permission("fsmount", syscall(SYS_fsmount, -1, 0, 0));
    probe_permission("fsconfig", syscall(SYS_fsconfig, -1, 0, NULL, NULL, 0));
    probe_permission("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", TREE_CLONE));
    probe_permission("open_tree_attr", syscall(OPEN_TREE_ATTR, AT_FDCWD, "/", TREE_CLONE,
                                               attributes, sizeof attributes));
    probe_permission("move_mount", syscall(SYS_move_mount, -1, "", -1, "", 0));
    probe_permission("mount_setattr",
                     syscall(442, AT_FDCWD, "/proc/sys", 0, attributes, sizeof attributes));
    probe_permission("pivot_root", syscall(SYS_pivot_root, "point", "point"));
    rmdir("point");
    return probe_end();
}
