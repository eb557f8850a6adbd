/* Leaves the working directory upwards: to OUTSIDE, which lies beside it. */
#include "tests/confinement/probes/probe.h"

#include <linux/openat2.h>
#include <sys/stat.h>

#define PLAIN "../outside/plain"

int main(void)
{
    struct open_how how = {.flags = O_WRONLY};
    int here = open(".", O_RDONLY | O_DIRECTORY), up;

    probe_fd("..", open(PLAIN, O_WRONLY));
    probe_fd("openat", openat(here, PLAIN, O_WRONLY));
    probe_fd("openat2", (int)syscall(SYS_openat2, here, PLAIN, &how, sizeof how));
    up = open("..", O_PATH);
    probe_fd("descriptor of ..", openat(up, "outside/plain", O_WRONLY));
    mkdir("sub", 0700);
    if (chdir("sub") == 0 &&
        rename("../sub", "../sub2") == 0) /* the path to here changes underfoot */
        probe_fd("from a moved folder", open("../" PLAIN, O_WRONLY));
    if (fchdir(here) != 0)
        return 3;
    rmdir("sub2");
    probe_fd("/proc/self/cwd/..", open("/proc/self/cwd/" PLAIN, O_WRONLY));
    unlink("up");
    if (symlink("..", "up") == 0)
        probe_fd("link to ..", open("up/outside/plain", O_WRONLY));
    unlink("up");
    close(open("mine", O_WRONLY | O_CREAT, 0600));
    probe_call("rename out", rename("mine", "../outside/made"));
    unlink("../outside/made");
    return probe_end();
}
