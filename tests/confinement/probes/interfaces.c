/* Sees or sets up interfaces, addresses and routes other than loopback's. */
#include "tests/confinement/probes/probe.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int change(uint16_t type, size_t size)
{
    struct {
        struct nlmsghdr header;
        char body[64];
    } request = {.header = {.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + size),
                            .nlmsg_type = type,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK}};
    char answer[1024];
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    const struct nlmsgerr *error = (const void *)(answer + NLMSG_HDRLEN);

    if (fd < 0 || send(fd, &request, request.header.nlmsg_len, 0) < 0 ||
        recv(fd, answer, sizeof answer, 0) < 0)
        return -1;
    errno = -error->error;
    close(fd);
    return error->error == 0 ? 0 : -1;
}

int main(void)
{
    struct if_nameindex *all;
    int others = 0, fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq request = {.ifr_name = "lo"};

    all = if_nameindex();
    for (struct if_nameindex *at = all; at && at->if_index; at++)
        others += strcmp(at->if_name, "lo") != 0;
    if (others)
        probe_open("others than lo", "%d", others);
    else
        probe_shut("others than lo", "none");
    if (probe_is_control() && unshare(CLONE_NEWNET) != 0) {
        probe_absent("change", "it takes root");
        return probe_end();
    }
    if (fd < 0)
        probe_shut("SIOCSIFFLAGS", "no socket");
    else
        probe_permission("SIOCSIFFLAGS",
                         ioctl(fd, SIOCGIFFLAGS, &request) < 0
                             ? -1
                             : ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFFLAGS, &request));
    probe_permission("new link", change(RTM_NEWLINK, 16));
    probe_permission("new address", change(RTM_NEWADDR, 8));
    probe_permission("new route", change(RTM_NEWROUTE, 12));
    probe_permission("new queue", change(RTM_NEWQDISC, 20));
    return probe_end();
}
