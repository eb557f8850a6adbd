/* What programs have switched on in a terminal by escape sequences and, if they are killed, leave
 * on: the alternate screen, mouse reports, bracketed paste, a hidden cursor, another keyboard
 * protocol. Found by reading what they write. */
#ifndef HEEL_LIBHEEL_TERMINAL_MODES_H
#define HEEL_LIBHEEL_TERMINAL_MODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TERMINAL_PARAMETERS_MAX 8

/* The longest that undoing or redoing can be. */
#define TERMINAL_MODES_BYTES 512

/* Zero-initialised is a terminal as its user left it. */
struct terminal_modes {
    uint32_t changed; /* by row of the table of modes */
    bool region;      /* only a part of the screen scrolls */
    bool other_keys;  /* keys are told in xterm's extended way */
    /* where in a sequence its output has come */
    int state;
    char prefix; /* of a control sequence: '?' or '>'; 0 for none */
    unsigned parameters[TERMINAL_PARAMETERS_MAX];
    size_t count;
};

/* Takes note of output that the terminal got. */
void terminal_modes_see(struct terminal_modes *modes, const char *bytes, size_t length);

/* Writes to `to`, of TERMINAL_MODES_BYTES, what makes the terminal as it was at first, and returns
 * how long that is. Modes that are as they were are left alone: leaving an alternate screen that
 * nobody entered would move the cursor. Async-signal-safe, as is the next. */
size_t terminal_modes_undo(const struct terminal_modes *modes, char *to);

/* Writes what sets the modes once more, after they were undone. */
size_t terminal_modes_redo(const struct terminal_modes *modes, char *to);

#endif
