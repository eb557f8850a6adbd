/* Leases a program, so that whoever starts it waits until the lease is broken: 45 s. */
#include "tests/confinement/probes/probe.h"

int main(void)
{
    int fd = open("mine", O_RDONLY | O_CREAT, 0700);

    signal(SIGIO, SIG_IGN);
    probe_call("for writing", fcntl(fd, F_SETLEASE, F_WRLCK));
    fcntl(fd, F_SETLEASE, F_UNLCK);
    probe_call("for reading", fcntl(fd, F_SETLEASE, F_RDLCK));
    fcntl(fd, F_SETLEASE, F_UNLCK);
    probe_call("high bits", syscall(SYS_fcntl, fd, 1024UL | 1UL << 32, F_RDLCK));
    fcntl(fd, F_SETLEASE, F_UNLCK);
    close(fd);
    unlink("mine");
    return probe_end();
}
