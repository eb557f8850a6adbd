/* Changes mode, times, owner and attributes of OUTSIDE/plain. */
#include "tests/confinement/probes/probe.h"

#include <sys/stat.h>
#include <sys/time.h>
#include <sys/xattr.h>

#define SYS_FILE_SETATTR 469

int main(void)
{
    const char *file = probe_path("OUTSIDE", "plain");
    int path = open(file, O_PATH);
    char by_fd[64];

    snprintf(by_fd, sizeof by_fd, "/proc/self/fd/%d", path);
    probe_call("chmod", chmod(file, 0644));
    probe_call("chmod of /proc/self/fd", chmod(by_fd, 0644));
    probe_call("fchmodat2 of O_PATH", syscall(452, path, "", 0644, AT_EMPTY_PATH));
    probe_call("utimes", utimes(file, NULL));
    probe_call("utimensat of O_PATH", utimensat(path, "", NULL, AT_EMPTY_PATH));
    probe_call("chown", chown(file, geteuid(), getegid()));
    probe_call("fchownat of O_PATH", fchownat(path, "", geteuid(), getegid(), AT_EMPTY_PATH));
    probe_call("setxattr", setxattr(file, "user.heel", "x", 1, 0));
    probe_call("removexattr", removexattr(file, "user.heel"));
    return probe_end();
}
