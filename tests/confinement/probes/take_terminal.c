/* Makes a terminal of the host's its controlling one, also by force. */
#include "tests/confinement/probes/probe.h"

#include <sys/ioctl.h>

static int take(int force)
{
    int fd;

    setsid();
    fd = open(probe_env("PTS"), O_RDWR | O_NOCTTY);
    return fd >= 0 && ioctl(fd, TIOCSCTTY, force) == 0 ? 0 : errno;
}

static int politely(void)
{
    return take(0);
}

static int by_force(void)
{
    return take(1);
}

static int by_opening(void)
{
    setsid();
    return open(probe_env("PTS"), O_RDWR) >= 0 ? 0 : errno;
}

int main(void)
{
    probe_child("TIOCSCTTY", politely);
    probe_child("TIOCSCTTY by force", by_force);
    probe_child("open", by_opening);
    return probe_end();
}
