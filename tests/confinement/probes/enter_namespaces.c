/* Enters init's namespaces (outside: the victim's), changes the root. */
#include "tests/confinement/probes/probe.h"

#include <sched.h>
#include <sys/ioctl.h>

#define NS_GET_USERNS 0xb701
#define NS_GET_PARENT 0xb702
#define PIDFD_GET_NET_NAMESPACE 0xff04
#define LISTNS 470

static void try_kind(const char *kind)
{
    char path[64], way[64];
    int fd;

    snprintf(path, sizeof path, "/proc/%d/ns/%s", probe_number("TARGET_PID"), kind);
    fd = open(path, O_RDONLY);
    snprintf(way, sizeof way, "open ns/%s", kind);
    probe_call(way, fd);
    snprintf(way, sizeof way, "setns to its %s", kind);
    probe_permission(way, fd < 0 ? -1 : setns(fd, 0));
    snprintf(path, sizeof path, "/proc/self/ns/%s", kind);
    fd = open(path, O_RDONLY);
    snprintf(way, sizeof way, "setns to its own %s", kind);
    probe_permission(way, setns(fd, 0));
}

int main(void)
{
    static const char *const kinds[] = {"mnt", "net", "ipc", "uts", "cgroup", "pid"};
    int own = open("/proc/self/ns/user", O_RDONLY), pidfd;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        try_kind(kinds[i]);
    pidfd = (int)syscall(SYS_pidfd_open, probe_number("TARGET_PID"), 0);
    probe_permission("setns by pidfd", syscall(SYS_setns, pidfd, CLONE_NEWNET));
    probe_fd("PIDFD_GET_NET_NAMESPACE", ioctl(pidfd, PIDFD_GET_NET_NAMESPACE, 0));
    probe_call("the user namespace above", ioctl(own, NS_GET_PARENT));
    probe_call("the pid namespace above",
               ioctl(open("/proc/self/ns/pid", O_RDONLY), NS_GET_PARENT));
    probe_permission("chroot", chroot("."));
    return probe_end();
}
