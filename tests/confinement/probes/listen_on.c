/* Listens on port argv[1] of all addresses, says so, and tells whether anybody comes within a
 * second. */
#include "tests/confinement/probes/probe.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int one = 1;
    struct pollfd event = {socket(AF_INET, SOCK_STREAM, 0), POLLIN, 0};

    if (argc < 2)
        return 2;
    setsockopt(event.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    address.sin_port = htons((uint16_t)atoi(argv[1]));
    if (bind(event.fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(event.fd, 8) != 0) {
        printf("error\t%s\n", strerrorname_np(errno));
        return 2;
    }
    puts("listening");
    fflush(stdout);
    if (poll(&event, 1, 1000) > 0 && send(accept(event.fd, NULL, NULL), "mine", 4, 0) > 0)
        probe_open("connect to it", "somebody came");
    else
        probe_shut("connect to it", "nobody came");
    return probe_end();
}
