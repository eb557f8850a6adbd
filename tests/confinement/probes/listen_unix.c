/* Listens on the path argv[1], and says "listening". */
#include "tests/confinement/probes/probe.h"

#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (argc < 2)
        return 2;
    alarm(60);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", argv[1]);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 8) != 0)
        return 3;
    puts("listening");
    fflush(stdout);
    for (;;)
        pause();
}
