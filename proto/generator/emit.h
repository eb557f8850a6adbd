/* The text of the generated files. */
#ifndef GENERATOR_EMIT_H
#define GENERATOR_EMIT_H

#include "base/text.h"
#include "proto/generator/functions.h"
#include "proto/generator/model.h"

/* Each appends a whole file. */
void emit_header(const struct model_file *model, struct heel_buffer *to);
void emit_source(const struct model_file *model, struct heel_buffer *to);

/* "void name(parameters)" without an end; broken between parameters where it would become longer
 * than 100 columns. */
void emit_prototype(struct heel_buffer *to, const struct function *function,
                    const struct model_method *method);

/* What the function does: "    return callee(arguments);", broken likewise. */
void emit_body(struct heel_buffer *to, const struct function *function,
               const struct model_method *method);

#endif
