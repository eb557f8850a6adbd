/* A core_pattern that is a pipe starts a program outside, as root. What keeps it from that is that
 * RLIMIT_CORE is 1 (0 doesn't): so nobody may set it to anything else. */
#include "tests/confinement/probes/probe.h"

#include <sys/resource.h>

static void look(const char *way)
{
    struct rlimit limit = {0};

    getrlimit(RLIMIT_CORE, &limit);
    if (limit.rlim_cur == 1)
        probe_shut(way, "it stays 1");
    else
        probe_open(way, "it is %lu", (unsigned long)limit.rlim_cur);
}

int main(void)
{
    struct rlimit limit = {0, 1};

    look("as started");
    setrlimit(RLIMIT_CORE, &limit);
    look("setrlimit");
    prlimit(0, RLIMIT_CORE, &limit, NULL);
    look("prlimit");
    prlimit(getpid(), RLIMIT_CORE, &limit, NULL);
    look("prlimit by number");
    syscall(SYS_setrlimit, RLIMIT_CORE | 1UL << 32, &limit);
    look("high bits");
    return probe_end();
}
