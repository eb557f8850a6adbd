/* Takes hold of init (outside: the victim) as a debugger. */
#include "tests/confinement/probes/probe.h"

#include <sys/ptrace.h>

#include <sys/uio.h>

int main(void)
{
    pid_t target = probe_number("TARGET_PID");
    char text[8] = "";
    struct iovec here = {text, sizeof text}, there = {(void *)(uintptr_t)0x1000, sizeof text};
    int pidfd;

    if (probe_call("PTRACE_SEIZE", ptrace(PTRACE_SEIZE, target, 0, 0)) == 0) {
        ptrace(PTRACE_INTERRUPT, target, 0, 0);
        waitpid(target, NULL, __WALL);
        ptrace(PTRACE_DETACH, target, 0, 0);
    }
    if (probe_call("PTRACE_ATTACH", ptrace(PTRACE_ATTACH, target, 0, 0)) == 0) {
        waitpid(target, NULL, __WALL);
        ptrace(PTRACE_DETACH, target, 0, 0);
    }
    /* No address is right: EFAULT means that the permission was there. */
    probe_permission("process_vm_readv", process_vm_readv(target, &here, 1, &there, 1, 0));
    probe_permission("process_vm_writev", process_vm_writev(target, &here, 1, &there, 1, 0));
    pidfd = (int)syscall(SYS_pidfd_open, target, 0);
    probe_fd("pidfd_getfd", (int)syscall(438, pidfd, 0, 0));
    probe_permission("process_madvise", syscall(440, pidfd, &here, 1, 20 /* MADV_COLD */, 0));
    probe_call("get_robust_list",
               syscall(SYS_get_robust_list, target, &here.iov_base, &here.iov_len));
    probe_permission("kcmp", syscall(SYS_kcmp, target, target, 0, 0, 0));
    probe_permission("move_pages", syscall(SYS_move_pages, target, 0UL, NULL, NULL, NULL, 0));
    return probe_end();
}
