/* Connects to a stream socket of the victim's, by its path SOCKET. */
#include "tests/confinement/probes/probe.h"

#include <sys/socket.h>
#include <sys/un.h>

static void try(const char *way, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    probe_call(way, connect(socket(AF_UNIX, SOCK_STREAM, 0), (const struct sockaddr *)&address,
                            sizeof address));
}

int main(void)
{
    const char *path = probe_env("SOCKET");
    char by_fd[64];

    try("connect", path);
    unlink("alias");
    if (symlink(path, "alias") == 0)
        try("through a link", "alias");
    unlink("alias");
    snprintf(by_fd, sizeof by_fd, "/proc/self/fd/%d", open(path, O_PATH));
    try("through O_PATH", by_fd);
    if (link(path, "hard") == 0)
        try("through a hard link", "hard");
    else
        probe_shut("through a hard link", "%s", strerrorname_np(errno));
    unlink("hard");
    return probe_end();
}
