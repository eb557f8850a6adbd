/* Calls that are refused for an argument, with that argument's upper half set: the kernel looks at
 * the lower half only, and a filter that compares all of it would let them pass. */
#include "tests/confinement/probes/probe.h"

#include <linux/prctl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define HIGH (1UL << 32)

int main(void)
{
    unsigned long target = (unsigned long)probe_number("TARGET_PID");
    struct rlimit limit;
    int fd, tcp = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct stat status;

    close(open("mine", O_WRONLY | O_CREAT, 0700));
    probe_call("socket: family", syscall(SYS_socket, AF_NETLINK | HIGH, SOCK_RAW, 12));
    probe_call("socket: type", syscall(SYS_socket, AF_UNIX, SOCK_DGRAM | HIGH, 0));
    probe_call("socket: protocol", syscall(SYS_socket, AF_INET, SOCK_STREAM, 262 | HIGH));
    probe_call("setsockopt: level",
               syscall(SYS_setsockopt, tcp, IPPROTO_TCP | HIGH, 30, &one, sizeof one));
    probe_call("setsockopt: option",
               syscall(SYS_setsockopt, tcp, IPPROTO_TCP, 30 | HIGH, &one, sizeof one));
    probe_call("prlimit64: pid",
               syscall(SYS_prlimit64, target | HIGH, RLIMIT_NOFILE, NULL, &limit));
    probe_call("setpriority: which",
               syscall(SYS_setpriority, PRIO_PGRP | HIGH, target, getpriority(PRIO_PROCESS, 0)));
    probe_call("ioprio_set: which", syscall(SYS_ioprio_set, 1 | HIGH, target, 3L << 13));
    probe_call("fcntl: lease", syscall(SYS_fcntl, open("mine", O_RDONLY), 1024 | HIGH, F_RDLCK));
    syscall(SYS_fchmodat, AT_FDCWD, "mine", S_ISUID | 0700 | HIGH);
    probe_call("fchmodat: mode", stat("mine", &status) == 0 && (status.st_mode & S_ISUID) ? 0 : -1);
    fd = (int)syscall(SYS_openat, AT_FDCWD, "made", O_CREAT | O_WRONLY | HIGH, S_ISUID | 0700);
    probe_call("openat: flags", fstat(fd, &status) == 0 && (status.st_mode & S_ISUID) ? 0 : -1);
    unlink("mine");
    unlink("made");
    return probe_end();
}
