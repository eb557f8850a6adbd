/* A program on a pseudo-terminal of the benches' own, without heel. */
#ifndef HEEL_TESTS_BENCH_PTY_H
#define HEEL_TESTS_BENCH_PTY_H

#include <stdbool.h>

#include "base/error.h"

struct pty;

/* Runs argv[0], a path, on a terminal of 24 lines and waits until it has written `greeting`. With
 * `relays` the program passes everything on to a terminal of its own: then this waits besides until
 * it has switched off the echo of the one here, or that would answer. NULL and *err if it doesn't
 * get so far in some seconds. */
struct pty *pty_open(const char *const *argv, const char *greeting, bool relays,
                     struct heel_error **err);

/* Types one character and waits for it to come back. */
int pty_echo(struct pty *pty, char character, struct heel_error **err);

/* Hangs up, kills and waits for it. NULL is fine. */
void pty_close(struct pty *pty);

HEEL_DEFINE_AUTOFREE(pty, struct pty, pty_close);
#define autopty HEEL_AUTOFREE(pty)

#endif
