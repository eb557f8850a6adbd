/* Has itself told of what happens in WATCHED and to its file "secret". */
#include "tests/confinement/probes/probe.h"

#include <sys/inotify.h>

static void try_descriptor(const char *way, int command, int argument)
{
    int fd = open(probe_env("WATCHED"), O_RDONLY | O_DIRECTORY);

    probe_call(way, fd < 0 ? -1 : fcntl(fd, command, argument));
}

int main(void)
{
    int watcher = inotify_init1(IN_NONBLOCK), folder = open(probe_env("WATCHED"), O_PATH);
    char by_path[64];

    signal(SIGIO, SIG_IGN);
    snprintf(by_path, sizeof by_path, "/proc/self/fd/%d", folder);
    probe_call("the folder", inotify_add_watch(watcher, probe_env("WATCHED"), IN_ALL_EVENTS));
    probe_call("the file", inotify_add_watch(watcher, probe_path("WATCHED", "secret"), IN_OPEN));
    probe_call("the folder, by O_PATH", inotify_add_watch(watcher, by_path, IN_ALL_EVENTS));
    try_descriptor("F_NOTIFY", F_NOTIFY, (int)(DN_ACCESS | DN_CREATE));
    return probe_end();
}
