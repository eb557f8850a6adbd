/* Runs a program from a memfd, past any list of programs that may be run. */
#include "tests/confinement/probes/probe.h"

#include <sys/mman.h>
#include <sys/sendfile.h>

static int run(void)
{
    int from = open("/bin/true", O_RDONLY), to = memfd_create("program", MFD_CLOEXEC);

    while (sendfile(to, from, NULL, 1 << 20) > 0)
        ;
    fexecve(to, (char *[]){"true", NULL}, (char *[]){NULL});
    return errno;
}

int main(void)
{
    probe_child("fexecve", run);
    return probe_end();
}
