#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/linux/confine/confine.h"

#define PORT_START "/proc/sys/net/ipv4/ip_unprivileged_port_start"

/* So that a server inside may listen on port 80. Not vital: where the file can't be written it
 * stays as it is. */
static void open_low_ports(void)
{
    heel_autoclose int fd = open(PORT_START, O_RDWR | O_CLOEXEC);
    char now[2];

    if (fd < 0 ||
        (pread(fd, now, sizeof(now), 0) == sizeof(now) && now[0] == '0' && now[1] == '\n'))
        return;
    if (pwrite(fd, "0\n", 2, 0) != 2)
        return;
}

int heel_confine_network(struct heel_error **err)
{
    heel_autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {.ifr_name = "lo"};

    if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
        return heel_error_set_errno(err, errno, "can't look at the sandbox's loopback interface");
    open_low_ports();
    if (request.ifr_flags & IFF_UP)
        return 0;
    request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
    if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        return heel_error_set_errno(err, errno, "can't bring up the sandbox's loopback interface");
    return 0;
}
