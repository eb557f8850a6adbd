/* Reaches denied/secret and deep/denied/secret in the working directory, both of which are denied.
 */
#include "tests/confinement/probes/probe.h"

#include <linux/openat2.h>
#include <sys/stat.h>

static void try_read(const char *way, const char *path)
{
    char byte;
    int fd = open(path, O_RDONLY);

    if (fd >= 0 && read(fd, &byte, 1) != 1) {
        close(fd);
        errno = ENODATA;
        fd = -1;
    }
    probe_fd(way, fd);
}

static void try_link(const char *way, const char *target, const char *path)
{
    unlink("alias");
    if (symlink(target, "alias") == 0)
        try_read(way, path);
    unlink("alias");
}

int main(void)
{
    struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_BENEATH};
    int folder;

    try_read("open", "denied/secret");
    try_read("dots", "deep/../denied/./secret");
    try_read("/proc/self/cwd", "/proc/self/cwd/denied/secret");
    try_link("link to the folder", "denied", "alias/secret");
    try_link("link to the file", "denied/secret", "alias");
    probe_fd("openat2", (int)syscall(SYS_openat2, AT_FDCWD, "denied/secret", &how, sizeof how));
    folder = open("denied", O_PATH);
    probe_fd("openat of O_PATH", openat(folder, "secret", O_RDONLY));
    if (probe_call("hard link", link("denied/secret", "hard")) == 0)
        unlink("hard");
    if (probe_call("rename the folder", rename("denied", "moved")) == 0 &&
        rename("moved", "denied") != 0)
        return 3;
    if (rename("deep", "moved") == 0) { /* allowed: the mask goes with it */
        try_read("rename the parent", "moved/denied/secret");
        if (rename("moved", "deep") != 0)
            return 3;
    } else {
        probe_shut("rename the parent", "%s", strerrorname_np(errno));
    }
    mkdir("other", 0700);
    if (probe_call("exchange", renameat2(AT_FDCWD, "denied", AT_FDCWD, "other", RENAME_EXCHANGE)) ==
        0)
        renameat2(AT_FDCWD, "denied", AT_FDCWD, "other", RENAME_EXCHANGE);
    rmdir("other");
    probe_fd("create in it", open("denied/new", O_WRONLY | O_CREAT, 0600));
    return probe_end();
}
