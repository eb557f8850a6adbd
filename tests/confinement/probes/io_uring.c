/* io_uring does what no filter sees. */
#include "tests/confinement/probes/probe.h"

int main(void)
{
    char parameters[120] = {0};

    probe_fd("io_uring_setup", (int)syscall(425, 4, parameters));
    probe_permission("io_uring_enter", syscall(426, -1, 0, 0, 0, NULL, 0));
    probe_permission("io_uring_register", syscall(427, -1, 0, NULL, 0));
    return probe_end();
}
