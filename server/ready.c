#include "server/ready.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

/* The whole of sd_notify's protocol that we need: one datagram. A leading @ means the abstract
 * namespace. */
static void notify(const char *state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    heel_autoclose int fd = -1;
    socklen_t length;

    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, path, strlen(path));
    length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address, length);
}

void ready_announce(int ready_fd)
{
    if (ready_fd >= 0) {
        ssize_t written = write(ready_fd, "\n", 1);

        (void)written; /* who doesn't wait any more needs no word */
        close(ready_fd);
    }
    notify("READY=1");
}

void ready_announce_stopping(void)
{
    notify("STOPPING=1");
}
