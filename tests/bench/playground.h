/* A working directory with something to do in it. */
#ifndef HEEL_TESTS_BENCH_PLAYGROUND_H
#define HEEL_TESTS_BENCH_PLAYGROUND_H

#include "base/error.h"

/* Programs that work in it, where this machine has them. */
#define PLAYGROUND_GIT "/usr/bin/git"
#define PLAYGROUND_MAKE "/usr/bin/make"
#define PLAYGROUND_PYTHON "/usr/bin/python3"

/* Makes the folder `path`, which sandboxes of any uid may write to, with
 *   chore      a copy of the program `chore`
 *   input      a small file
 *   tree/      a git repository of 10,000 files with nothing to commit, where there is git
 *   project/   a small C project; `make OUT=…` builds it into that folder, one of inside/ and
 * outside/
 */
int playground_make(const char *path, const char *chore, struct heel_error **err);

#endif
