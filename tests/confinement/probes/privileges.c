/* Gets an identity or a capability that it was not given. */
#include "tests/confinement/probes/probe.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

static int become_other(void)
{
    return setresuid(12345, 12345, 12345) == 0 ? 0 : errno;
}

static int become_root(void)
{
    if (probe_is_control() && geteuid() == 0)
        return 0;
    return setresuid(0, 0, 0) == 0 ? 0 : errno;
}

static int other_group(void)
{
    return setresgid(12345, 12345, 12345) == 0 ? 0 : errno;
}

static int groups(void)
{
    gid_t group = 6; /* disk */

    return setgroups(1, &group) == 0 ? 0 : errno;
}

static int fs_identity(void)
{
    syscall(SYS_setfsuid, 12345);
    return syscall(SYS_setfsuid, -1) == 12345 ? 0 : EPERM;
}

static int capability(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{.effective = 1U << 21, .permitted = 1U << 21}};

    return syscall(SYS_capset, &header, data) == 0 ? 0 : errno;
}

static int securebits(void)
{
    return prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS) == 0 ? 0 : errno;
}

int main(void)
{
    gid_t list[64];
    int count = getgroups(64, list);
    bool others = false;

    probe_child("another uid", become_other);
    probe_child("root's uid", become_root);
    probe_child("another gid", other_group);
    probe_child("setgroups", groups);
    probe_child("setfsuid", fs_identity);
    probe_child("capset", capability);
    probe_child("securebits", securebits);
    for (int i = 0; i < count; i++)
        others |= list[i] != getegid() && list[i] != 65534;
    if (others)
        probe_open("supplementary groups", "%d", count);
    else
        probe_shut("supplementary groups", "none");
    if (prctl(PR_CAPBSET_READ, 21) == 1)
        probe_open("bounding set", "has CAP_SYS_ADMIN");
    else
        probe_shut("bounding set", "empty");
    return probe_end();
}
