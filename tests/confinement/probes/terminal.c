/* Types into a terminal (what it was given as standard input, or else its own, which is as good as
 * one that was lent), and takes it over. */
#include "tests/confinement/probes/probe.h"

#include <sys/ioctl.h>

#define HIGH (1UL << 32)

/* One of its own, that controls this session. */
static int make_terminal(void)
{
    int manager = posix_openpt(O_RDWR | O_NOCTTY), terminal;
    char name[64];

    setsid();
    if (manager < 0 || grantpt(manager) != 0 || unlockpt(manager) != 0 ||
        ptsname_r(manager, name, sizeof name) != 0)
        return -1;
    terminal = open(name, O_RDWR);
    return terminal >= 0 && ioctl(terminal, TIOCSCTTY, 0) == 0 ? terminal : -1;
}

int main(void)
{
    int terminal = isatty(0) ? 0 : make_terminal(), discipline = 0;

    if (terminal < 0) {
        probe_absent("any", "no terminal can be had");
        return probe_end();
    }
    probe_call("TIOCSTI", syscall(SYS_ioctl, terminal, (unsigned long)TIOCSTI, "x"));
    probe_call("TIOCSTI, high bits", syscall(SYS_ioctl, terminal, TIOCSTI | HIGH, "x"));
    probe_call("TIOCSTI, other high bits",
               syscall(SYS_ioctl, terminal, TIOCSTI | 0x7fffffffUL << 32, "x"));
    probe_permission("TIOCLINUX", syscall(SYS_ioctl, terminal, (unsigned long)TIOCLINUX, "\2"));
    probe_permission("TIOCLINUX, high bits", syscall(SYS_ioctl, terminal, TIOCLINUX | HIGH, "\2"));
    if (!probe_is_control() || geteuid() != 0) /* root would get the console's messages */
        probe_permission("TIOCCONS", syscall(SYS_ioctl, terminal, (unsigned long)TIOCCONS, 0));
    probe_call("TIOCSETD", ioctl(terminal, TIOCSETD, &discipline));
    return probe_end();
}
