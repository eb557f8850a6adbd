/* Exchanges the folder "out" with the link "link" until it is killed; says "flipping" first. For a
 * minute at most. */
#include "tests/confinement/probes/probe.h"

#define EXCHANGE 2

int main(void)
{
    alarm(60);
    puts("flipping");
    fflush(stdout);
    for (;;)
        syscall(SYS_renameat2, AT_FDCWD, "out", AT_FDCWD, "link", EXCHANGE);
}
