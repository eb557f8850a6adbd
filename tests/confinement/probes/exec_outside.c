/* Runs the program OUTSIDE/program, which STRICT doesn't show. */
#include "tests/confinement/probes/probe.h"

#include <sys/mman.h>

static int by_execve(void)
{
    const char *program = probe_path("OUTSIDE", "program");

    execl(program, program, NULL);
    return errno;
}

static int by_linker(void)
{
    execl("/lib64/ld-linux-x86-64.so.2", "ld.so", probe_path("OUTSIDE", "program"), NULL);
    return errno;
}

static int by_mapping(void)
{
    int fd = open(probe_path("OUTSIDE", "program"), O_RDONLY);

    return fd < 0 || mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED
               ? errno
               : 0;
}

int main(void)
{
    if (freopen("/dev/null", "w", stderr) == NULL)
        return 3;
    probe_child("execve", by_execve);
    probe_child("ld.so", by_linker);
    probe_child("mmap PROT_EXEC", by_mapping);
    return probe_end();
}
