/* Finds namespaces other than its own, and those of init (outside: the victim) by its pidfd. */
#include "tests/confinement/probes/probe.h"

#include <sys/ioctl.h>

#define LISTNS 470
#define PIDFD_GET(number) (0xff00UL + (number))

int main(void)
{
    static const char *const kinds[] = {"cgroup", "ipc",  "mnt", "net",  "pid",
                                        NULL,     "time", NULL,  "user", "uts"};
    int pidfd = (int)syscall(SYS_pidfd_open, probe_number("TARGET_PID"), 0);
    char way[64];

    probe_permission("listns", syscall(LISTNS, NULL, NULL, 0, 0));
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i]) {
            snprintf(way, sizeof way, "pidfd: %s", kinds[i]);
            probe_fd(way, ioctl(pidfd, PIDFD_GET(i + 1)));
        }
    return probe_end();
}
