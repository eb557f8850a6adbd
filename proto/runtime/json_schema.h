/* What the JSON mapping must know about a type and protobuf-c's descriptors don't say: JSON names,
 * maps, special forms. */
#ifndef GRPCC_JSON_SCHEMA_H
#define GRPCC_JSON_SCHEMA_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

enum grpcc_json_form {
    GRPCC_JSON_OBJECT,
    GRPCC_JSON_DURATION,
    GRPCC_JSON_TIMESTAMP,
    GRPCC_JSON_FIELD_MASK,
    GRPCC_JSON_WRAPPER,     /* a message with the one field `value`, which is its JSON form */
    GRPCC_JSON_UNSUPPORTED, /* Any, Struct, Value, ListValue */
};

/* The form of a message's type. The types of the special ones are checked by shape as well as by
 * name. */
enum grpcc_json_form grpcc_json_form_of(const ProtobufCMessageDescriptor *type);

/* Whether a field of `owner` is a map. The descriptors of protobuf-c 1.4 have no flag for it: it is
 * a repeated message which is nested in `owner`, has the name that protoc derives from the field's,
 * and the fields key = 1 and value = 2. */
bool grpcc_json_is_map(const ProtobufCMessageDescriptor *owner,
                       const ProtobufCFieldDescriptor *field);

/* Appends the JSON spelling of a name: sandbox_id becomes sandboxId. */
void grpcc_json_append_name(struct heel_buffer *to, const char *name);

/* The field with this name, in either spelling, or NULL. */
const ProtobufCFieldDescriptor *grpcc_json_find_field(const ProtobufCMessageDescriptor *type,
                                                      const char *name);

/* Bytes that a value takes in the generated structure, and in the array of a repeated field. */
size_t grpcc_json_size_of(ProtobufCType type);

#endif
