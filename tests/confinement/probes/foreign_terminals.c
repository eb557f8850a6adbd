/* Finds terminals that are not its own: PTS is one that the runner opened. */
#include "tests/confinement/probes/probe.h"

int main(void)
{
    const char *terminal = probe_env("PTS");
    char target[64];

    probe_fd("open", open(terminal, O_RDWR | O_NOCTTY));
    probe_call("see", access(terminal, F_OK));
    snprintf(target, sizeof target, "/proc/self/root%s", terminal);
    probe_fd("through /proc/self/root", open(target, O_RDWR | O_NOCTTY));
    return probe_end();
}
