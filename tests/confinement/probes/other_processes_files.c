/* Looks into another process through /proc: init's (outside: a victim of the same user). */
#include "tests/confinement/probes/probe.h"

static const char *of(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "/proc/%d/%s", probe_number("TARGET_PID"), name);
    return path;
}

static void try_read(const char *name)
{
    char text[256];
    int fd = open(of(name), O_RDONLY);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text);

    if (fd >= 0 && got == 0) {
        errno = ENODATA;
        got = -1;
    }
    probe_call(name, (long)got);
    if (fd >= 0)
        close(fd);
}

int main(void)
{
    static const char *const files[] = {"environ",   "auxv",       "maps",        "smaps",
                                        "numa_maps", "pagemap",    "syscall",     "stack",
                                        "io",        "mountstats", "personality", "fdinfo/0"};
    static const char *const links[] = {"exe", "cwd", "root", "fd/0"};
    char target[256];

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        try_read(files[i]);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        probe_call(links[i], readlink(of(links[i]), target, sizeof target));
    probe_fd("mem", open(of("mem"), O_RDWR));
    probe_fd("clear_refs", open(of("clear_refs"), O_WRONLY));
    probe_fd("map_files", open(of("map_files"), O_RDONLY | O_DIRECTORY));
    return probe_end();
}
