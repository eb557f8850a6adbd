/* Sends to a datagram socket of the victim's, by path and by abstract name. */
#include "tests/confinement/probes/probe.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static void try(const char *way, const char *path, bool abstract)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
    int pair[2] = {-1, -1};
    char name[64];

    snprintf(to.sun_path + abstract, sizeof to.sun_path - 1, "%s", path);
    snprintf(name, sizeof name, "sendto: %s", way);
    probe_call(name, sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0, (const struct sockaddr *)&to,
                            length));
    snprintf(name, sizeof name, "sendto from a pair: %s", way);
    probe_call(name, socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0
                         ? -1
                         : sendto(pair[0], "x", 1, 0, (const struct sockaddr *)&to, length));
}

int main(void)
{
    try("path", probe_env("DATAGRAM"), false);
    try("abstract", probe_env("ABSTRACT_DATAGRAM"), true);
    return probe_end();
}
