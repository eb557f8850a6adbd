/* A person's terminal in raw mode, which is put back whatever happens to this program. */
#ifndef HEEL_LIBHEEL_RAW_TERMINAL_H
#define HEEL_LIBHEEL_RAW_TERMINAL_H

#include <stdbool.h>

/* Puts the terminal `in` into raw mode. Afterwards the signals that end or stop this program put it
 * back first, and SIGCONT makes it raw again. `on_resized` (may be NULL; run in a signal handler)
 * is told when its size changes. One at a time in a program. 0, or -1 with errno. */
int raw_terminal_begin(int in, int out, void (*on_resized)(void *data), void *data);

/* Puts everything back: settings, handlers, and the modes that a program may have switched on by
 * escape sequences. What was typed or answered meanwhile is dropped. */
void raw_terminal_end(void);

/* Its size. False where it has none. */
bool raw_terminal_size(int fd, unsigned *rows, unsigned *columns);

#endif
