/* Makes and opens devices other than the harmless ones. */
#include "tests/confinement/probes/probe.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

static void try_make(const char *way, mode_t type, unsigned major_number, unsigned minor_number)
{
    if (probe_call(way, mknod("node", type | 0600, makedev(major_number, minor_number))) == 0)
        unlink("node");
}

static void try_open(const char *path)
{
    if (access(path, F_OK) != 0 && probe_is_control())
        probe_absent(path, "this machine has none");
    else
        probe_fd(path, open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
}

int main(void)
{
    static const char *const nodes[] = {
        "/dev/mem",           "/dev/port",
        "/dev/kmsg",          "/dev/vda",
        "/dev/sda",           "/dev/nvme0n1",
        "/dev/kvm",           "/dev/fuse",
        "/dev/net/tun",       "/dev/loop-control",
        "/dev/vhost-net",     "/dev/vhost-vsock",
        "/dev/vsock",         "/dev/uinput",
        "/dev/input/event0",  "/dev/snd/seq",
        "/dev/rtc0",          "/dev/hpet",
        "/dev/ttyS0",         "/dev/console",
        "/dev/tty0",          "/dev/cpu_dma_latency",
        "/dev/userfaultfd",   "/dev/mapper/control",
        "/dev/btrfs-control", "/dev/autofs",
        "/dev/udmabuf",       "/dev/ptp0",
    };

    try_make("make 1:1 (mem)", S_IFCHR, 1, 1);
    try_make("make 1:3 (null)", S_IFCHR, 1, 3);
    try_make("make 10:229 (fuse)", S_IFCHR, 10, 229);
    try_make("make a disk", S_IFBLK, 254, 0);
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        try_open(nodes[i]);
    return probe_end();
}
