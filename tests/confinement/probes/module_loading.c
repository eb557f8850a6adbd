/* Socket ioctls for which the kernel loads a module, whoever asks. */
#include "tests/confinement/probes/probe.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

int main(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    char zeros[256] = {0};

    probe_permission("SIOCGIFBR: bridge", ioctl(fd, 0x8940, zeros));
    probe_permission("SIOCGIFVLAN: 8021q", ioctl(fd, 0x8982, zeros));
    return probe_end();
}
