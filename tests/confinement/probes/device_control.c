/* Sets up the devices that it was given, which takes privileges. */
#include "tests/confinement/probes/probe.h"

#include <linux/random.h>
#include <sys/ioctl.h>

/* Without an argument, so that nothing is set up where it is allowed. */
static void try(const char *way, const char *path, unsigned long request)
{
    int fd = open(path, O_RDONLY);

    probe_permission(way, ioctl(fd, request, NULL));
    close(fd);
}

int main(void)
{
    try("add to entropy's count", "/dev/urandom", RNDADDTOENTCNT);
    try("add entropy", "/dev/random", RNDADDENTROPY);
    return probe_end();
}
