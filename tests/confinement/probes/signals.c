/* Signals the victim, which counts what it gets, in every way there is. */
#include "tests/confinement/probes/probe.h"

#include <sys/socket.h>

static void try_ownership(const char *way, pid_t owner)
{
    int pair[2];
    long result = -1;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && fcntl(pair[0], F_SETSIG, SIGUSR1) == 0)
        result = fcntl(pair[0], F_SETOWN, owner);
    if (result == 0 && fcntl(pair[0], F_SETFL, O_ASYNC) == 0 && write(pair[1], "x", 1) != 1)
        result = -1;
    probe_call(way, result);
}

int main(void)
{
    pid_t victim = probe_number("VICTIM_PID");
    union sigval value = {0};
    siginfo_t info = {.si_code = SI_QUEUE, .si_pid = getpid()};
    int pidfd;
    char path[64];

    probe_call("kill", kill(victim, SIGUSR1));
    probe_call("kill its group", kill(-victim, SIGUSR1));
    probe_call("tkill", syscall(SYS_tkill, victim, SIGUSR1));
    probe_call("tgkill", syscall(SYS_tgkill, victim, victim, SIGUSR1));
    probe_call("sigqueue", sigqueue(victim, SIGUSR1, value));
    probe_call("rt_tgsigqueueinfo", syscall(SYS_rt_tgsigqueueinfo, victim, victim, SIGUSR1, &info));
    pidfd = (int)syscall(SYS_pidfd_open, victim, 0);
    probe_call("pidfd_send_signal", syscall(424, pidfd, SIGUSR1, NULL, 0));
    snprintf(path, sizeof path, "/proc/%d", victim);
    probe_call("pidfd_send_signal by /proc",
               syscall(424, open(path, O_RDONLY | O_DIRECTORY), SIGUSR1, NULL, 0));
    try_ownership("F_SETOWN and SIGIO", victim);
    try_ownership("F_SETOWN of its group", -victim);
    return probe_end();
}
