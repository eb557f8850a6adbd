/* Calls that change the machine, with arguments that can't: EINVAL or EFAULT instead of EPERM would
 * mean that others could. */
#include "tests/confinement/probes/probe.h"

int main(void)
{
    static long bad[32] = {-1, -1, -1, -1};

    probe_permission("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
    probe_permission("kexec_load", syscall(SYS_kexec_load, 0, 99UL, NULL, -1L));
    probe_permission("kexec_file_load", syscall(SYS_kexec_file_load, -1, -1, 0UL, NULL, -1L));
    probe_permission("init_module", syscall(SYS_init_module, NULL, 0UL, NULL));
    probe_permission("finit_module", syscall(SYS_finit_module, -1, "", 0));
    probe_permission("delete_module", syscall(SYS_delete_module, "no-such-module", O_NONBLOCK));
    probe_permission("swapon", syscall(SYS_swapon, "/no/such/file", 0));
    probe_permission("swapoff", syscall(SYS_swapoff, "/no/such/file"));
    probe_permission("acct", syscall(SYS_acct, "/no/such/file"));
    probe_permission("settimeofday", syscall(SYS_settimeofday, bad, NULL));
    probe_permission("clock_settime", syscall(SYS_clock_settime, 0, bad));
    probe_permission("adjtimex", syscall(SYS_adjtimex, NULL));
    probe_permission("clock_adjtime", syscall(SYS_clock_adjtime, 0, NULL));
    probe_permission("sethostname", syscall(SYS_sethostname, NULL, -1L));
    probe_permission("setdomainname", syscall(SYS_setdomainname, NULL, -1L));
    probe_permission("iopl", syscall(SYS_iopl, 3));
    probe_permission("ioperm", syscall(SYS_ioperm, 0x80UL, 1UL, 1));
    probe_permission("uselib", syscall(SYS_uselib, "/no/such/file"));
    return probe_end();
}
