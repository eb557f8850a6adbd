/* Learns that the file SECRET is there, and something about it. */
#include "tests/confinement/probes/probe.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

int main(void)
{
    const char *secret = probe_env("SECRET");
    struct stat status;
    struct statx extended;
    struct statfs system;
    char text[64];
    long got;

    probe_call("stat", stat(secret, &status));
    probe_call("lstat", lstat(secret, &status));
    probe_call("statx", statx(AT_FDCWD, secret, 0, STATX_ALL, &extended));
    probe_call("access", access(secret, F_OK));
    probe_call("faccessat2", syscall(439, AT_FDCWD, secret, F_OK, 0));
    probe_fd("O_PATH", open(secret, O_PATH));
    probe_call("statfs", statfs(secret, &system));
    got = (long)getxattr(secret, "user.heel-test", text, sizeof text);
    probe_call("getxattr",
               got < 0 && errno == ENODATA ? 0 : got); /* that it has none is told, too */
    probe_call("listxattr", listxattr(secret, text, sizeof text));
    probe_call("inotify", inotify_add_watch(inotify_init(), secret, IN_ALL_EVENTS));
    probe_call("chdir", chdir(probe_env("HIDDEN")) == 0 ? access("secret", F_OK) : -1);
    return probe_end();
}
