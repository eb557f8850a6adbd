/* Sends data with a SYN, by which no connect() is made. */
#include "tests/confinement/probes/probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

int main(void)
{
    struct sockaddr_in to = {
        AF_INET, htons((uint16_t)probe_number("VICTIM_TCP")), {htonl(INADDR_LOOPBACK)}, {0}};
    struct iovec data = {"x", 1};
    struct mmsghdr message = {
        .msg_hdr = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &data, .msg_iovlen = 1}};
    int one = 1;

    probe_call("sendto", sendto(socket(AF_INET, SOCK_STREAM, 0), "x", 1, MSG_FASTOPEN,
                                (const struct sockaddr *)&to, sizeof to));
    probe_call("sendmsg", sendmsg(socket(AF_INET, SOCK_STREAM, 0), &message.msg_hdr, MSG_FASTOPEN));
    probe_call("sendmmsg", sendmmsg(socket(AF_INET, SOCK_STREAM, 0), &message, 1, MSG_FASTOPEN));
    probe_call("sendto, high bits",
               syscall(SYS_sendto, socket(AF_INET, SOCK_STREAM, 0), "x", 1UL,
                       (unsigned long)MSG_FASTOPEN | 1UL << 32, &to, sizeof to));
    probe_call("TCP_FASTOPEN_CONNECT", setsockopt(socket(AF_INET, SOCK_STREAM, 0), IPPROTO_TCP,
                                                  TCP_FASTOPEN_CONNECT, &one, sizeof one));
    probe_call("TCP_FASTOPEN", setsockopt(socket(AF_INET, SOCK_STREAM, 0), IPPROTO_TCP,
                                          TCP_FASTOPEN, &one, sizeof one));
    return probe_end();
}
