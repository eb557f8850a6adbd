/* Locks a file that is granted for reading: whoever uses it outside waits. */
#include "tests/confinement/probes/probe.h"

#include <sys/file.h>

int main(void)
{
    int fd = open(probe_path("READABLE", "plain"), O_RDONLY);
    struct flock lock = {.l_type = F_RDLCK};

    probe_call("flock LOCK_EX", flock(fd, LOCK_EX | LOCK_NB));
    probe_call("F_SETLK read lock", fcntl(fd, F_SETLK, &lock));
    probe_call("F_OFD_SETLK read lock", fcntl(fd, F_OFD_SETLK, &lock));
    return probe_end();
}
