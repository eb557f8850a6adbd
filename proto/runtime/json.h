/* The JSON mapping of proto3 (protobuf.dev, "ProtoJSON format"), both ways, by protobuf-c's
 * descriptors. */
#ifndef GRPCC_JSON_H
#define GRPCC_JSON_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "proto/runtime/status.h"

struct grpcc_json_options {
    unsigned indent;    /* spaces per level; 0: one line */
    bool emit_defaults; /* also fields without presence that hold their default */
    bool proto_names;   /* sandbox_id instead of sandboxId */
};

/* Appends `message`. Duration, Timestamp, FieldMask and the wrappers have their special forms (and
 * are plain objects where their value has none, such as a timestamp in year 10,000); so are Any,
 * Struct, Value and ListValue, which have none here. Maps are objects, ordered by key; bytes
 * base64, 64-bit integers strings, enums names (numbers where unknown). Unknown fields are left
 * out. `options` may be NULL. */
void grpcc_json_print(const ProtobufCMessage *message, const struct grpcc_json_options *options,
                      struct heel_buffer *to);

/* Appends `length` bytes as a JSON string, quotes included; what isn't UTF-8 becomes U+FFFD.
 * Control characters, those above U+007F too, are escaped, so that the result can be shown on a
 * terminal. */
void grpcc_json_print_string(const char *text, size_t length, struct heel_buffer *to);

/* A new message, which the caller frees with protobuf_c_message_free_unpacked(message, NULL), or
 * NULL and *status (INVALID_ARGUMENT, reason INVALID_MESSAGE, naming the field and the line and
 * column). Accepts both spellings of names. An error are also: unknown fields and enum names, a
 * name or key given twice, two members of one oneof, numbers that the field can't hold exactly
 * (floating point: that are out of range), text that isn't UTF-8 or holds NUL, more than 64 levels,
 * Any, Struct, Value and ListValue. */
ProtobufCMessage *grpcc_json_parse(const ProtobufCMessageDescriptor *descriptor, const char *text,
                                   size_t length, struct grpcc_status **status);

#endif
