/* Options of sockets that take privileges. */
#include "tests/confinement/probes/probe.h"

#include <netinet/in.h>
#include <sys/socket.h>

#define BEYOND 7 /* the highest priority that is for all is 6 */

static void try(const char *way, int type, int level, int option, const void *value, size_t size)
{
    int fd = socket(AF_INET, type, 0);

    if (fd < 0)
        probe_shut(way, "no socket: %s", strerrorname_np(errno));
    else if (setsockopt(fd, level, option, value, (socklen_t)size) != 0 && errno == ENOPROTOOPT)
        probe_shut(way, "ENOPROTOOPT");
    else
        probe_permission(way, setsockopt(fd, level, option, value, (socklen_t)size));
    close(fd);
}

int main(void)
{
    int one = 1, beyond = BEYOND, tables;
    char rules[128] = {0};
    socklen_t length = sizeof rules;

    try("SO_SNDBUFFORCE", SOCK_STREAM, SOL_SOCKET, SO_SNDBUFFORCE, &one, sizeof one);
    try("SO_RCVBUFFORCE", SOCK_STREAM, SOL_SOCKET, SO_RCVBUFFORCE, &one, sizeof one);
    try("SO_MARK", SOCK_STREAM, SOL_SOCKET, SO_MARK, &one, sizeof one);
    try("SO_PRIORITY", SOCK_STREAM, SOL_SOCKET, SO_PRIORITY, &beyond, sizeof beyond);
    try("SO_DEBUG", SOCK_STREAM, SOL_SOCKET, SO_DEBUG, &one, sizeof one);
    try("IP_TRANSPARENT", SOCK_STREAM, IPPROTO_IP, IP_TRANSPARENT, &one, sizeof one);
    try("IP_XFRM_POLICY", SOCK_STREAM, IPPROTO_IP, IP_XFRM_POLICY, rules, sizeof rules);
    try("TCP_REPAIR", SOCK_STREAM, IPPROTO_TCP, 19, &one, sizeof one);
    tables = socket(AF_INET, SOCK_STREAM, 0);
    if (tables < 0)
        probe_shut("the firewall's tables", "no socket: %s", strerrorname_np(errno));
    else
        probe_permission("the firewall's tables",
                         getsockopt(tables, IPPROTO_IP, 64, rules, &length));
    return probe_end();
}
