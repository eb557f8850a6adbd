/* The functions that are generated for a method, as data. */
#ifndef GENERATOR_FUNCTIONS_H
#define GENERATOR_FUNCTIONS_H

#include <stddef.h>

#include "proto/generator/model.h"

/* In `parameters` and `arguments`, which are separated by ", ", $Q and $S stand for the types of
 * request and response, $N for the method's name, and $M for its table. */
struct function {
    const char *about;  /* comment above its declaration */
    const char *result; /* "void " or "struct x *", ready to stand before the name */
    const char *suffix; /* of its name, behind the method's */
    const char *parameters;
    const char *callee; /* the function of the runtime that does the work */
    const char *arguments;
};

/* The functions for this method, in the order in which the header shows them. */
const struct function *functions_of(const struct model_method *method, size_t *count);

#endif
