#include "backends/linux/processes/proc_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

#define INIT 1

/* A stream on /proc of its own: closing it leaves `proc` open, and its position alone. */
static DIR *open_again(int proc)
{
    heel_autoclose int copy = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);

    if (stream)
        copy = -1; /* the stream's now */
    return stream;
}

int heel_proc_walk(int proc, void (*visit)(void *data, pid_t pid), void *data)
{
    DIR *stream = open_again(proc);

    if (!stream)
        return -1;
    for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
        pid_t pid = (pid_t)atoi(entry->d_name);

        if (pid > INIT)
            visit(data, pid);
    }
    closedir(stream);
    return 0;
}
