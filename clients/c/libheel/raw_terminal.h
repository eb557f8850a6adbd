/* A person's terminal in raw mode, which is put back whatever happens to this program. */
#ifndef HEEL_LIBHEEL_RAW_TERMINAL_H
#define HEEL_LIBHEEL_RAW_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Puts the terminal `in` into raw mode. Afterwards the signals that end or stop this program put it
 * back first, and then do what they did before; one whose handler returns leaves it so. SIGCONT
 * makes it raw again. `on_resized` (run in a signal handler) is told when its size changes, and
 * with `redraw` when all that it showed may be gone. One at a time in a program. 0, or -1 with
 * errno. */
int raw_terminal_begin(int in, int out, void (*on_resized)(bool redraw, void *data), void *data);

/* Takes note of what `out` is about to get, so that its modes can be put back. */
void raw_terminal_saw(const char *bytes, size_t length);

/* Puts everything back: settings, handlers, and the modes that programs have switched on by escape
 * sequences. What was typed or answered meanwhile is dropped. */
void raw_terminal_end(void);

/* Its size. False where it has none. */
bool raw_terminal_size(int fd, unsigned *rows, unsigned *columns);

#endif
