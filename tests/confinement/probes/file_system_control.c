/* Freezes, trims or shuts down the file system below the working directory. Outside, freezing is
 * aimed at /proc, which can't be frozen, and the rest gets arguments that can't work. */
#include "tests/confinement/probes/probe.h"

#include <linux/fs.h>
#include <sys/ioctl.h>

#define FS_SHUTDOWN 0x8004587dUL

static void try(const char *way, int fd, unsigned long request)
{
    long result = ioctl(fd, request, NULL);

    if (result == -1 && errno == ENOTTY)
        probe_absent(way, "this file system has none");
    else
        probe_permission(way, result);
}

int main(void)
{
    int here = open(".", O_RDONLY | O_DIRECTORY);

    try("FIFREEZE", probe_is_control() ? open("/proc", O_RDONLY | O_DIRECTORY) : here, FIFREEZE);
    try("FITHAW", here, FITHAW);
    try("FITRIM", here, FITRIM);
    try("shutdown", here, FS_SHUTDOWN);
    return probe_end();
}
