/* Every family by number, and every type and protocol that isn't TCP, UDP or a Unix stream. */
#include "tests/confinement/probes/probe.h"

#include <netinet/in.h>
#include <sys/socket.h>

#define HIGH (1UL << 32)

static void try(const char *way, unsigned long family, unsigned long type, unsigned long protocol)
{
    long fd = syscall(SYS_socket, family, type, protocol);

    if (fd == -1 && probe_is_control() &&
        (errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT)) {
        probe_absent(way, "this kernel has none");
        return;
    }
    probe_permission(way, fd);
    if (fd >= 0)
        close((int)fd);
}

int main(void)
{
    char way[64];

    for (unsigned long family = 3; family < 50; family++)
        for (unsigned long type = SOCK_STREAM; type <= SOCK_SEQPACKET;
             type += type == SOCK_STREAM  ? 1
                     : type == SOCK_DGRAM ? 1
                                          : 2) {
            snprintf(way, sizeof way, "family %lu, type %lu", family, type);
            if (family != AF_INET6 && family != AF_NETLINK)
                try(way, family, type, 0);
        }
    for (unsigned long protocol = 1; protocol < 32; protocol++) {
        snprintf(way, sizeof way, "netlink %lu", protocol);
        try(way, AF_NETLINK, SOCK_RAW, protocol);
    }
    try("netlink 9, high bits", AF_NETLINK, SOCK_RAW, 9 | HIGH);
    try("AF_ALG, high bits", 38 | HIGH, SOCK_SEQPACKET, 0);
    try("MPTCP", AF_INET, SOCK_STREAM, 262);
    try("MPTCP over IPv6", AF_INET6, SOCK_STREAM, 262);
    try("MPTCP, flags", AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 262);
    try("SCTP", AF_INET, SOCK_STREAM, 132);
    try("SCTP, SEQPACKET", AF_INET, SOCK_SEQPACKET, 132);
    try("DCCP", AF_INET, 6, 33);
    try("UDP-Lite", AF_INET, SOCK_DGRAM, 136);
    try("SMC by IPPROTO_SMC", AF_INET, SOCK_STREAM, 256);
    try("L2TP", AF_INET, SOCK_DGRAM, 115);
    try("raw TCP", AF_INET, SOCK_RAW, IPPROTO_TCP);
    try("raw ICMP", AF_INET, SOCK_RAW, IPPROTO_ICMP);
    try("raw, IPv6", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
    try("raw, high bits", AF_INET, SOCK_RAW | HIGH, IPPROTO_ICMP);
    try("ping", AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    try("ping, IPv6", AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6);
    try("Unix datagrams", AF_UNIX, SOCK_DGRAM, 0);
    try("Unix datagrams as SOCK_RAW", AF_UNIX, SOCK_RAW, 0);
    return probe_end();
}
