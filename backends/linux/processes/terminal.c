#include "backends/linux/processes/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"

int heel_terminal_open(struct heel_terminal_size size, struct heel_terminal *terminal)
{
    struct winsize window = {.ws_row = size.rows, .ws_col = size.columns};
    heel_autoclose int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    int unlocked = 0, slave;

    if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) || ioctl(master, TIOCSWINSZ, &window))
        return -1;
    /* Opened through the master, not by name: code in the sandbox may have put something else at
     * /dev/pts/N. */
    slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0)
        return -1;
    *terminal = (struct heel_terminal){.master = heel_steal_fd(&master), .slave = slave};
    return 0;
}

void heel_terminal_close(struct heel_terminal *terminal)
{
    if (terminal->master >= 0)
        close(terminal->master);
    if (terminal->slave >= 0)
        close(terminal->slave);
    *terminal = (struct heel_terminal){-1, -1};
}

/* -1 where it can't be read. */
static long read_sysctl(const char *path)
{
    FILE *file = fopen(path, "re");
    long value = -1;

    if (!file)
        return -1;
    if (fscanf(file, "%ld", &value) != 1)
        value = -1;
    fclose(file);
    return value;
}

/* What is reserved is for the host's own instance of devpts, and the last one is never given. */
bool heel_terminals_exhausted(void)
{
    long used = read_sysctl("/proc/sys/kernel/pty/nr");
    long reserved = read_sysctl("/proc/sys/kernel/pty/reserve");
    long maximum = read_sysctl("/proc/sys/kernel/pty/max");

    return used < 0 || reserved < 0 || maximum < 0 || used + 1 + reserved >= maximum;
}
