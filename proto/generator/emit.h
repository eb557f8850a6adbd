/* The text of the generated files. */
#ifndef GENERATOR_EMIT_H
#define GENERATOR_EMIT_H

#include "base/text.h"
#include "proto/generator/model.h"

/* Each appends a whole file. */
void emit_header(const struct model_file *model, struct heel_buffer *to);
void emit_source(const struct model_file *model, struct heel_buffer *to);

/* A function that is generated for a method of some kind. */
struct emit_function {
    const char *about;       /* comment above its declaration; NULL: none */
    const char *result;      /* "void " or "struct x *", ready to stand before the name */
    const char *suffix;      /* of its name, behind the method's; "" for none */
    const char *parameters;  /* separated by ", "; $Q and $S stand for the request and response types, $N for the method's name */
    const char *body;        /* one statement; $M besides stands for the method's table */
};

/* The functions for a method of this kind, in the order in which a header shows them. */
const struct emit_function *emit_functions(bool client_streaming, bool server_streaming, size_t *count);

/* "void name(parameters)" without an end; broken between parameters where a line would become longer than 100 columns. */
void emit_prototype(struct heel_buffer *to, const struct emit_function *function, const struct model_method *method);

/* Appends `pattern` with its $ letters replaced. */
void emit_expand(struct heel_buffer *to, const char *pattern, const struct model_method *method);

#endif
