/* Makes a call that the filter refuses, unshare(0), in ways by which it might not be asked. */
#include "tests/confinement/probes/probe.h"

#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#define SET_USER_DISPATCH 59
#define SUSPEND_SECCOMP (1 << 21)
#define GET_CALL 0x420e
#define SET_CALL 0x4212
#define ENTRY 1

/* PTRACE_GET_SYSCALL_INFO's */
struct call {
    uint8_t op, reserved;
    uint16_t flags;
    uint32_t arch;
    uint64_t ip, sp, number, arguments[6], rest;
};

static int refused_call(void)
{
    return syscall(SYS_unshare, 0) == 0 ? 0 : errno;
}

static int by_user_dispatch(void)
{
    static char selector; /* 0: allow */

    if (prctl(SET_USER_DISPATCH, 1, 0, 0, &selector) != 0)
        return errno;
    return refused_call();
}

static int change_by_registers(pid_t pid)
{
    struct user_regs_struct registers;

    if (ptrace(PTRACE_GETREGS, pid, 0, &registers) != 0)
        return errno;
    registers.orig_rax = SYS_unshare;
    registers.rdi = 0;
    return ptrace(PTRACE_SETREGS, pid, 0, &registers) == 0 ? 0 : errno;
}

static int change_by_info(pid_t pid)
{
    struct call call;

    if (ptrace(GET_CALL, pid, sizeof call, &call) <= 0 || call.op != ENTRY)
        return errno;
    call.number = SYS_unshare;
    call.arguments[0] = 0;
    return ptrace(SET_CALL, pid, sizeof call, &call) >= 0 ? 0 : errno;
}

/* Its child calls getppid(), which becomes something else on the way in; a number of a process is
 * what that answers, 0 is what unshare() does. */
static int by_rewriting(int (*change)(pid_t pid))
{
    pid_t pid = fork();
    int status, failed;

    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        _exit(syscall(SYS_getppid) == 0 ? 0 : EPERM);
    }
    if (waitpid(pid, &status, 0) != pid ||
        ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD) != 0 ||
        ptrace(PTRACE_SYSCALL, pid, 0, 0) != 0 || waitpid(pid, &status, 0) != pid)
        return errno;
    failed = change(pid);
    if (failed)
        kill(pid, SIGKILL);
    else
        ptrace(PTRACE_CONT, pid, 0, 0);
    waitpid(pid, &status, 0);
    return failed || !WIFEXITED(status) ? (failed ? failed : EPERM) : WEXITSTATUS(status);
}

static int by_registers(void)
{
    return by_rewriting(change_by_registers);
}

static int by_info(void)
{
    return by_rewriting(change_by_info);
}

static int by_suspending(void)
{
    pid_t pid = fork();
    int status, failed = 0;

    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        _exit(refused_call());
    }
    if (waitpid(pid, &status, 0) != pid || ptrace(PTRACE_SETOPTIONS, pid, 0, SUSPEND_SECCOMP) != 0)
        failed = errno;
    ptrace(PTRACE_CONT, pid, 0, 0);
    waitpid(pid, &status, 0);
    return failed ? failed : WEXITSTATUS(status);
}

int main(void)
{
    probe_child("as it is", refused_call);
    probe_child("under user dispatch", by_user_dispatch);
    probe_child("a debugger changes the number", by_registers);
    probe_child("the same by SET_SYSCALL_INFO", by_info);
    probe_child("PTRACE_O_SUSPEND_SECCOMP", by_suspending);
    return probe_end();
}
