/* Programs that the benches run: to compare with, or as a user would. */
#ifndef HEEL_TESTS_BENCH_CHILD_H
#define HEEL_TESTS_BENCH_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* posix_spawn of argv[0], a path, with this process's environment where `environment` is NULL.
 * `out` becomes its standard output unless it is negative. The caller waits for *pid. */
int child_spawn(const char *const *argv, const char *const *environment, int out, pid_t *pid,
                struct heel_error **err);

/* Waits. An exit status other than 0 is an error, which names the program as `name`. */
int child_wait(pid_t pid, const char *name, struct heel_error **err);

/* Both. */
int child_run(const char *const *argv, const char *const *environment, struct heel_error **err);

/* As child_run(), and gives what it wrote to standard output, 64 KiB at most; the caller owns
 * *output. */
int child_read(const char *const *argv, char **output, struct heel_error **err);

/* This process's environment without what names heel's server or its folders, and with `more`, a
 * list of NAME=VALUE that ends with NULL. The caller frees the list; its strings are borrowed. */
const char **child_environment(const char *const *more);

#endif
