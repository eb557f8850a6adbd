/* Makes itself as open to debuggers as can be, and looks whether init (outside: the victim) became
 * so with it. */
#include "tests/confinement/probes/probe.h"

#include <sys/prctl.h>
#include <sys/ptrace.h>

static void try_open(const char *name, int flags)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", probe_number("TARGET_PID"), name);
    probe_fd(name, open(path, flags));
}

int main(void)
{
    pid_t target = probe_number("TARGET_PID");

    prctl(PR_SET_DUMPABLE, 1);
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    try_open("mem", O_RDWR);
    try_open("environ", O_RDONLY);
    try_open("root", O_RDONLY | O_DIRECTORY);
    if (probe_call("PTRACE_SEIZE", ptrace(PTRACE_SEIZE, target, 0, 0)) == 0) {
        ptrace(PTRACE_INTERRUPT, target, 0, 0);
        waitpid(target, NULL, __WALL);
        ptrace(PTRACE_DETACH, target, 0, 0);
    }
    return probe_end();
}
