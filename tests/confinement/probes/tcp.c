/* Connects to a port that the victim listens on. */
#include "tests/confinement/probes/probe.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

static void try(const char *address)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *found = NULL;
    int fd;

    if (getaddrinfo(address, probe_env("VICTIM_TCP"), &hints, &found) != 0) {
        probe_absent(address, "no such address");
        return;
    }
    fd = socket(found->ai_family, SOCK_STREAM, 0);
    probe_call(address, connect(fd, found->ai_addr, found->ai_addrlen));
    close(fd);
    freeaddrinfo(found);
}

int main(void)
{
    static const char *const addresses[] = {"127.0.0.1", "0.0.0.0", "127.1.2.3",
                                            "::1",       "::",      "::ffff:127.0.0.1"};

    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
        try(addresses[i]);
    try(probe_env("HOST_ADDRESS"));
    return probe_end();
}
