/* Opens for writing, through /proc, what it has for reading: READABLE/plain. */
#include "tests/confinement/probes/probe.h"

#include <sys/mman.h>

#define PAGE 4096

static void try(const char *way, const char *format, unsigned long number)
{
    char path[128];

    snprintf(path, sizeof path, format, number);
    probe_fd(way, open(path, O_RDWR));
}

int main(void)
{
    int fd = open(probe_path("READABLE", "plain"), O_RDONLY);
    void *mapped = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    unsigned long start = (unsigned long)(uintptr_t)mapped;
    char path[128], by_name[64];

    snprintf(by_name, sizeof by_name, "/proc/self/task/%d/fd/%%lu", getpid());
    try("of the thread", by_name, (unsigned long)fd);
    try("/proc/thread-self", "/proc/thread-self/fd/%lu", (unsigned long)fd);
    try("/proc/PID", "/proc/self/../self/fd/%lu", (unsigned long)fd);
    try("/dev/fd", "/dev/fd/%lu", (unsigned long)fd);
    snprintf(path, sizeof path, "/proc/self/map_files/%lx-%lx", start, start + PAGE);
    try("map_files", path, 0);
    return probe_end();
}
