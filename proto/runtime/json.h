/* The JSON mapping of proto3 (protobuf.dev, "ProtoJSON format"), both ways, by protobuf-c's descriptors. */
#ifndef GRPCC_JSON_H
#define GRPCC_JSON_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "proto/runtime/status.h"

struct grpcc_json_options {
    unsigned indent;       /* spaces per level; 0: one line */
    bool emit_defaults;    /* also fields without presence that hold their default */
    bool proto_names;      /* sandbox_id instead of sandboxId */
};

/* Appends `message`. Duration, Timestamp, FieldMask and the wrappers have their special forms; maps are objects, bytes base64, 64-bit integers strings,
 * enums names (numbers where unknown). `options` may be NULL. */
void grpcc_json_print(const ProtobufCMessage *message, const struct grpcc_json_options *options, struct heel_buffer *to);

/* Appends `length` bytes as a JSON string, quotes included; what isn't UTF-8 becomes U+FFFD. */
void grpcc_json_print_string(const char *text, size_t length, struct heel_buffer *to);

/* A new message, which the caller frees with protobuf_c_message_free_unpacked(message, NULL), or NULL and *status (INVALID_ARGUMENT, naming the field and the
 * line and column). Accepts both spellings of names; an unknown field is an error. */
ProtobufCMessage *grpcc_json_parse(const ProtobufCMessageDescriptor *descriptor, const char *text, size_t length,
                                   struct grpcc_status **status);

#endif
