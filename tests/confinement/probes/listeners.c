/* A second seccomp listener, by which its owner would decide what heel decides. */
#include "tests/confinement/probes/probe.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

static int listen_with(unsigned long flags)
{
    struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
    struct sock_fprog program = {1, &allow};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) >= 0 ? 0 : errno;
}

static int plain(void)
{
    return listen_with(SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

static int with_others(void)
{
    return listen_with(SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_LOG);
}

static int high_bits(void)
{
    return listen_with(SECCOMP_FILTER_FLAG_NEW_LISTENER | 1UL << 32);
}

int main(void)
{
    probe_child("NEW_LISTENER", plain);
    probe_child("with other flags", with_others);
    probe_child("high bits", high_bits);
    return probe_end();
}
