#include "backends/linux/processes/terminal.h"

#include <errno.h>
#include <fcntl.h>
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
    /* By the master, not by name: what lies at /dev/pts/N is the code's to choose. */
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
