/* Reads the file SECRET, which a protection or the level keeps out of sight, by every alias. */
#include "tests/confinement/probes/probe.h"

#include <linux/openat2.h>

static void try(const char *way, int fd)
{
    char byte;

    if (fd >= 0 && read(fd, &byte, 1) != 1) {
        close(fd);
        fd = -1;
    }
    probe_fd(way, fd);
}

static void try_through(const char *way, const char *prefix)
{
    char path[8192];

    snprintf(path, sizeof path, "%s%s", prefix, probe_env("SECRET"));
    try(way, open(path, O_RDONLY));
}

int main(void)
{
    const char *secret = probe_env("SECRET");
    struct open_how how = {.flags = O_RDONLY};
    char init_root[64];
    int root;

    try("open", open(secret, O_RDONLY));
    try("openat2", (int)syscall(SYS_openat2, AT_FDCWD, secret, &how, sizeof how));
    try_through("/proc/self/root", "/proc/self/root");
    try_through("/proc/thread-self/root", "/proc/thread-self/root");
    snprintf(init_root, sizeof init_root, "/proc/%d/root", probe_number("TARGET_PID"));
    try_through("/proc/INIT/root", init_root);
    snprintf(init_root, sizeof init_root, "/proc/%d/root", getppid());
    try_through("/proc/PPID/root", init_root);
    unlink("link");
    if (symlink(secret, "link") == 0)
        try("symbolic link", open("link", O_RDONLY));
    root = open("/", O_PATH | O_DIRECTORY);
    try("descriptor of /", openat(root, secret + 1, O_RDONLY));
    unlink("hard");
    if (probe_call("hard link", linkat(AT_FDCWD, secret, AT_FDCWD, "hard", 0)) == 0)
        unlink("hard");
    if (probe_call("rename", rename(secret, "moved")) == 0 && rename("moved", secret) != 0)
        return 3;
    if (probe_call("truncate", truncate(secret, 6)) == 0 && truncate(secret, 6) != 0)
        return 3;
    return probe_end();
}
