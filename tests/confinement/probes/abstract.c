/* Connects to an abstract stream socket of the victim's, and takes a name that it holds. */
#include "tests/confinement/probes/probe.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(void)
{
    const char *name = probe_env("ABSTRACT");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
    char line[512];
    FILE *file;
    bool seen = false;

    memcpy(address.sun_path + 1, name, strlen(name));
    probe_call("connect",
               connect(socket(AF_UNIX, SOCK_STREAM, 0), (const struct sockaddr *)&address, length));
    file = fopen("/proc/net/unix", "r");
    while (file && fgets(line, sizeof line, file))
        seen |= strstr(line, name) != NULL;
    if (seen)
        probe_open("see it", "in /proc/net/unix");
    else
        probe_shut("see it", "not in /proc/net/unix");
    return probe_end();
}
