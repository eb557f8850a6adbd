/* Replaces what is in a set-user-ID program of the working directory, and leaves it the bit. */
#include "tests/confinement/probes/probe.h"

#include <sys/mman.h>
#include <sys/stat.h>

static void look(const char *way)
{
    struct stat status;
    char text[4] = "";
    int fd = open("suid", O_RDONLY);

    if (fd < 0 || read(fd, text, 3) != 3 || fstat(fd, &status) != 0)
        probe_shut(way, "%s", strerrorname_np(errno));
    else if (memcmp(text, "new", 3) == 0 && (status.st_mode & S_ISUID))
        probe_open(way, "new contents, mode %o", (unsigned)status.st_mode);
    else
        probe_shut(way, "\"%s\", mode %o", text, (unsigned)status.st_mode);
    close(fd);
}

int main(void)
{
    int fd = open("suid", O_RDWR);
    char *mapped =
        fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (mapped != MAP_FAILED) {
        memcpy(mapped, "new", 3);
        msync(mapped, 4096, MS_SYNC);
    }
    look("shared mapping");
    return probe_end();
}
