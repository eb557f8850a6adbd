/* Runs a program that belongs to root and has the set-user-ID bit. */
#include "tests/confinement/probes/probe.h"

#include <sys/prctl.h>

static int run(void)
{
    const char *program = probe_path("PROBES", "suid_id");

    if (freopen("/dev/null", "w", stdout) == NULL)
        return 3;
    execl(program, program, NULL);
    return errno;
}

int main(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(run());
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 42)
        probe_open("run it", "its effective uid is root's");
    else
        probe_shut("run it", "status %x", (unsigned)status);
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        probe_shut("no_new_privs", "set");
    else
        probe_open("no_new_privs", "not set");
    return probe_end();
}
