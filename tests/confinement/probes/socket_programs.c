/* Loads programs into the kernel by way of sockets, or makes them speak protocols that few programs
 * need. */
#include "tests/confinement/probes/probe.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

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
    struct sock_filter instruction = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {1, &instruction};
    int espinudp = 2;

    try("SO_ATTACH_FILTER", SOCK_STREAM, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
    try("SO_ATTACH_REUSEPORT_CBPF", SOCK_DGRAM, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
        sizeof program);
    try("UDP_ENCAP", SOCK_DGRAM, IPPROTO_UDP, 100, &espinudp, sizeof espinudp);
    return probe_end();
}
