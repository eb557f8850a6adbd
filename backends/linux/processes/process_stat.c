#include "backends/linux/processes/process_stat.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

bool heel_process_stat_read(int proc, pid_t pid, struct heel_process_stat *stat)
{
    char path[48], text[512], state;
    heel_autoclose int fd = -1;
    const char *name_end;
    int parent, group;
    ssize_t length;

    snprintf(path, sizeof path, "%s%d/stat", proc == AT_FDCWD ? "/proc/" : "", (int)pid);
    fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (length <= 0)
        return false;
    text[length] = '\0';
    name_end = strrchr(text, ')');
    if (!name_end || sscanf(name_end + 1, " %c %d %d", &state, &parent, &group) != 3)
        return false;
    *stat = (struct heel_process_stat){state, (pid_t)parent, (pid_t)group};
    return true;
}
