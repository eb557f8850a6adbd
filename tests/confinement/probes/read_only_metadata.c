/* Changes a file that is granted for reading, by descriptor and through /proc/self/fd. */
#include "tests/confinement/probes/probe.h"

#include <linux/fs.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

int main(void)
{
    const char *file = probe_path("READABLE", "plain");
    int fd = open(file, O_RDONLY), path = open(file, O_PATH),
        folder = open(probe_env("READABLE"), O_RDONLY);
    char by_fd[64], by_path[64];
    uint64_t short_lived = 2; /* RWH_WRITE_LIFE_SHORT */
    int flags = 0, version = 1;

    snprintf(by_fd, sizeof by_fd, "/proc/self/fd/%d", fd);
    snprintf(by_path, sizeof by_path, "/proc/self/fd/%d", path);
    probe_call("fchmod", fchmod(fd, 0644));
    probe_call("futimens", futimens(fd, NULL));
    probe_call("fchown", fchown(fd, geteuid(), getegid()));
    probe_call("fsetxattr", fsetxattr(fd, "user.heel", "x", 1, 0));
    probe_call("FS_IOC_SETFLAGS",
               ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 ? -1 : ioctl(fd, FS_IOC_SETFLAGS, &flags));
    if (ioctl(fd, FS_IOC_GETVERSION, &version) == 0 || errno != ENOTTY) /* tmpfs has none */
        probe_call("FS_IOC_SETVERSION", ioctl(fd, FS_IOC_SETVERSION, &version));
    probe_call("F_SET_RW_HINT", fcntl(fd, F_SET_RW_HINT, &short_lived));
    probe_fd("open for writing", open(file, O_WRONLY));
    probe_fd("reopen by descriptor", open(by_fd, O_RDWR));
    probe_fd("reopen by O_PATH", open(by_path, O_RDWR));
    probe_call("truncate by descriptor", truncate(by_fd, 6));
    probe_call("chmod by O_PATH", chmod(by_path, 0644));
    probe_fd("create beside it", openat(folder, "made", O_WRONLY | O_CREAT, 0600));
    probe_call("unlink", unlinkat(folder, "spare", 0));
    if (probe_call("link into the working directory",
                   linkat(AT_FDCWD, by_fd, AT_FDCWD, "linked", AT_SYMLINK_FOLLOW)) == 0)
        unlink("linked");
    if (probe_call("link by AT_EMPTY_PATH", linkat(fd, "", AT_FDCWD, "linked", AT_EMPTY_PATH)) == 0)
        unlink("linked");
    probe_call("F_SETLEASE", fcntl(fd, F_SETLEASE, F_RDLCK));
    unlinkat(folder, "made", 0);
    return probe_end();
}
