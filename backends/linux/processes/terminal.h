/* A terminal of a sandbox's own, for one command. */
#ifndef HEEL_BACKENDS_LINUX_PROCESSES_TERMINAL_H
#define HEEL_BACKENDS_LINUX_PROCESSES_TERMINAL_H

#include "backends/backend.h"

struct heel_terminal {
    int master; /* owned; non-blocking; for who reads and writes what the command writes and reads
                 */
    int slave;  /* owned; for the command */
};

/* Makes one in the devpts instance that is mounted at /dev/pts. 0, or -1 with errno: ENOSPC when
 * the instance, or the host, has no more. */
int heel_terminal_open(struct heel_terminal_size size, struct heel_terminal *terminal);
void heel_terminal_close(struct heel_terminal *terminal);

/* Whether it is the host that has no more for sandboxes (kernel.pty), seen from outside of them. */
bool heel_terminals_exhausted(void);

#endif
