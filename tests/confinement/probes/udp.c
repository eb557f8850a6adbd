/* Sends datagrams to the victim, as DNS would. */
#include "tests/confinement/probes/probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static long answered(int fd)
{
    struct timeval patience = {0, 50000};
    char text[16];

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return recv(fd, text, sizeof text, 0);
}

int main(void)
{
    struct sockaddr_in to = {
        AF_INET, htons((uint16_t)probe_number("VICTIM_UDP")), {htonl(INADDR_LOOPBACK)}, {0}};
    struct iovec data = {"x", 1};
    struct mmsghdr message = {
        .msg_hdr = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &data, .msg_iovlen = 1}};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    probe_call("sendto", sendto(fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof to) < 0
                             ? -1
                             : answered(fd));
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    probe_call("sendmmsg", sendmmsg(fd, &message, 1, 0) < 0 ? -1 : answered(fd));
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    probe_call("connect, send",
               connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 || send(fd, "x", 1, 0) < 0
                   ? -1
                   : answered(fd));
    inet_pton(AF_INET, probe_env("HOST_ADDRESS"), &to.sin_addr);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    probe_call("to the host's address",
               sendto(fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof to) < 0 ? -1
                                                                                  : answered(fd));
    return probe_end();
}
