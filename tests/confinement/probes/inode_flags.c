/* Marks a file of its own so that nobody can remove it, or so that it counts as somebody else's. */
#include "tests/confinement/probes/probe.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

static int file;

/* A file system that has none of this says so in these ways. */
static void say(const char *way, long result)
{
    if (result == -1 && (errno == ENOTTY || errno == EOPNOTSUPP))
        probe_absent(way, "this file system has none");
    else
        probe_call(way, result);
}

static void try_flag(const char *way, int flag)
{
    int before = 0, flags;

    if (ioctl(file, FS_IOC_GETFLAGS, &before) != 0) {
        say(way, -1);
        return;
    }
    flags = before | flag;
    say(way, ioctl(file, FS_IOC_SETFLAGS, &flags));
    ioctl(file, FS_IOC_SETFLAGS, &before);
}

static void try_attribute(const char *way, uint32_t flag, uint32_t project)
{
    struct fsxattr before = {0}, attributes;

    if (ioctl(file, FS_IOC_FSGETXATTR, &before) != 0) {
        say(way, -1);
        return;
    }
    attributes = before;
    attributes.fsx_xflags |= flag;
    attributes.fsx_projid += project;
    say(way, ioctl(file, FS_IOC_FSSETXATTR, &attributes));
    ioctl(file, FS_IOC_FSSETXATTR, &before);
}

int main(void)
{
    file = open("mine", O_RDWR | O_CREAT, 0600);
    try_flag("immutable", FS_IMMUTABLE_FL);
    try_flag("append only", FS_APPEND_FL);
    try_attribute("immutable, the newer way", FS_XFLAG_IMMUTABLE, 0);
    try_attribute("another project's quota", 0, 1);
    say("trusted attribute", fsetxattr(file, "trusted.heel", "x", 1, 0));
    say("security attribute", fsetxattr(file, "security.heel", "x", 1, 0));
    unlink("mine");
    return probe_end();
}
