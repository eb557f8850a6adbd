/* Fills the working directory with what is hard to remove: closed folders, depth, names, links out
 * (to OUTSIDE), sockets, pipes. */
#include "tests/confinement/probes/probe.h"

#include <sys/stat.h>

#define DEPTH 1200

int main(void)
{
    char name[256];

    for (int i = 1; i < 256; i++) {
        snprintf(name, sizeof name, "%c%s", i, i == '/' || i == '.' ? "x" : "\n\t\x1b[31m\xff");
        if (i != '/')
            close(open(name, O_WRONLY | O_CREAT, 0));
    }
    if (symlink(probe_env("OUTSIDE"), "out") != 0 ||
        symlink(probe_path("OUTSIDE", "plain"), "out-file") != 0)
        return 3;
    mkfifo("fifo", 0);
    mkdir("closed", 0700);
    mkdir("closed/inner", 0700);
    chmod("closed/inner", 0);
    chmod("closed", 0);
    for (int i = 0; i < DEPTH; i++)
        if (mkdir("d", 0700) != 0 || chdir("d") != 0)
            return 3;
    return probe_end();
}
