/* Loads programs into the kernel's memory for them, of which there is one for the whole machine:
 * seccomp filters, as many as there are processes. */
#include "tests/confinement/probes/probe.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

static struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
static struct sock_fprog program = {1, &allow};

static int by_seccomp(unsigned long operation, unsigned long flags)
{
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return syscall(SYS_seccomp, operation, flags, &program) >= 0 ? 0 : errno;
}

static int plain(void)
{
    return by_seccomp(SECCOMP_SET_MODE_FILTER, 0);
}

static int for_all_threads(void)
{
    return by_seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC);
}

static int logged(void)
{
    return by_seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG);
}

static int high_bits(void)
{
    return by_seccomp(SECCOMP_SET_MODE_FILTER | 1UL << 32, 0);
}

static int by_prctl(void)
{
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : errno;
}

static int by_prctl_with_high_bits(void)
{
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return syscall(SYS_prctl, PR_SET_SECCOMP | 1UL << 32, SECCOMP_MODE_FILTER, &program) == 0
               ? 0
               : errno;
}

int main(void)
{
    probe_child("seccomp", plain);
    probe_child("of all threads", for_all_threads);
    probe_child("logged", logged);
    probe_child("high bits", high_bits);
    probe_child("prctl", by_prctl);
    probe_child("prctl with high bits", by_prctl_with_high_bits);
    return probe_end();
}
