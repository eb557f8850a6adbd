/* Leaves 200 orphans behind: init must reap each. */
#include "tests/confinement/probes/probe.h"

#include <dirent.h>

static int count_zombies(void)
{
    DIR *proc = opendir("/proc");
    int count = 0;

    for (struct dirent *entry = proc ? readdir(proc) : NULL; entry; entry = readdir(proc)) {
        char path[300], text[512] = "";
        int fd;

        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        fd = atoi(entry->d_name) > 0 ? open(path, O_RDONLY) : -1;
        if (fd >= 0 && read(fd, text, sizeof text - 1) > 0 && strstr(text, "(zombies) Z"))
            count++;
        if (fd >= 0)
            close(fd);
    }
    if (proc)
        closedir(proc);
    return count;
}

int main(void)
{
    int left = -1;

    for (int i = 0; i < 200; i++) {
        pid_t pid = fork();

        if (pid == 0)
            _exit(fork() < 0);
        waitpid(pid, NULL, 0);
    }
    for (int i = 0; i < 200 && left != 0; i++) {
        left = count_zombies();
        if (left)
            usleep(5000);
    }
    if (left)
        probe_open("double fork", "%d left", left);
    else
        probe_shut("double fork", "none left");
    return probe_end();
}
