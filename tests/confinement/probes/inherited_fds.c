/* Looks for descriptors beyond 0, 1 and 2, and for more than pipes on those. */
#include "tests/confinement/probes/probe.h"

#include <sys/stat.h>

int main(void)
{
    struct stat status;
    int more = 0, first = -1;

    for (int fd = 3; fd < 70000; fd++)
        if (fcntl(fd, F_GETFD) >= 0) {
            more++;
            first = first < 0 ? fd : first;
        }
    if (more)
        probe_open("beyond 2", "%d, the first is %d", more, first);
    else
        probe_shut("beyond 2", "none");
    for (int fd = 0; fd < 3; fd++)
        if (fstat(fd, &status) == 0 &&
            (S_ISDIR(status.st_mode) || S_ISSOCK(status.st_mode) || S_ISBLK(status.st_mode)))
            more += 100;
    if (more >= 100)
        probe_open("0 to 2", "a folder, socket or disk");
    else
        probe_shut("0 to 2", "pipes and null");
    return probe_end();
}
