/* Whether the generated names can stand beside each other. */
#ifndef GENERATOR_SYMBOLS_H
#define GENERATOR_SYMBOLS_H

#include "proto/generator/model.h"

/* 0, or -1 and *error (owned by the caller) where two things of the file would have the same name
 * in C, as the functions that go with the unary methods Run (run_start) and RunStart (run_start)
 * have. */
int symbols_check(const struct model_file *model, char **error);

#endif
