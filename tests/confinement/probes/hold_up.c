/* Keeps init busy, so that it can't do what heeld asks of it: argv[1] says how. For two minutes at
 * most, which is longer than the runner waits. */
#include "tests/confinement/probes/probe.h"

#include <sys/ptrace.h>

#define CHILDREN 6

static void signal_init(void)
{
    kill(1, SIGCHLD);
}

static void make_orphans(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(fork() < 0);
    waitpid(pid, NULL, 0);
}

static void stop_all(void)
{
    kill(-1, SIGSTOP);
}

static void kill_all(void)
{
    kill(-1, SIGKILL);
}

/* A child that its debugger, this process, keeps from ending. */
static void hold_exits(void)
{
    pid_t pid = fork();
    siginfo_t info;

    if (pid == 0) {
        raise(SIGSTOP);
        _exit(0);
    }
    if (pid < 0 || waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT) != 0 ||
        ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXIT) != 0)
        pause();
    kill(pid, SIGCONT);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*step)(void);
    } kinds[] = {{"signals", signal_init},
                 {"orphans", make_orphans},
                 {"stops", stop_all},
                 {"kills", kill_all},
                 {"held exits", hold_exits}};

    for (size_t i = 0; argc > 1 && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(argv[1], kinds[i].name) != 0)
            continue;
        for (int j = 0; j < CHILDREN && fork() > 0; j++)
            ;
        alarm(120);
        for (;;)
            kinds[i].step();
    }
    return 2;
}
