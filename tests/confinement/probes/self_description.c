/* Changes what the kernel holds this process to be: its program, its memory's layout, who logged
 * in, what its numbers mean. */
#include "tests/confinement/probes/probe.h"

#include <sys/prctl.h>

#define SET_IO_FLUSHER 57

static void try_write(const char *way, const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);

    if (fd < 0 && errno == ENOENT)
        probe_absent(way, "this kernel has none");
    else
        probe_call(way, fd < 0 ? -1 : write(fd, text, strlen(text)));
    if (fd >= 0)
        close(fd);
}

int main(void)
{
    probe_permission("another program", prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, -1, 0, 0));
    probe_permission("other memory", prctl(PR_SET_MM, PR_SET_MM_START_BRK, 1, 0, 0));
    probe_permission("a disk's helper", prctl(SET_IO_FLUSHER, 1, 0, 0, 0));
    try_write("a user map", "/proc/self/uid_map", "0 0 1");
    try_write("a group map", "/proc/self/gid_map", "0 0 1");
    try_write("a login", "/proc/self/loginuid", "0");
    return probe_end();
}
