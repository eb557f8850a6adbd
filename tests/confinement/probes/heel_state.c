/* Reaches heel's own folder and socket (HEEL_STATE, HEEL_SOCKET). */
#include "tests/confinement/probes/probe.h"

#include <dirent.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

int main(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *state = probe_env("HEEL_STATE");
    DIR *folder = opendir(state);
    int count = 0;

    while (folder && readdir(folder))
        count++;
    if (count > 2)
        probe_open("list its state", "%d entries", count);
    else
        probe_shut("list its state", "%s", folder ? "empty" : strerrorname_np(errno));
    probe_fd("write its state", open(probe_path("HEEL_STATE", "made"), O_WRONLY | O_CREAT, 0600));
    unlink(probe_path("HEEL_STATE", "made"));
    snprintf(address.sun_path, sizeof address.sun_path, "%s", probe_env("HEEL_SOCKET"));
    probe_call("connect to its socket", connect(socket(AF_UNIX, SOCK_STREAM, 0),
                                                (const struct sockaddr *)&address, sizeof address));
    probe_call("see its socket", access(address.sun_path, F_OK));
    return probe_end();
}
