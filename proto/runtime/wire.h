/* What stands between the network and protobuf-c's unpacker, which loses the length of strings, takes bad UTF-8 and overflows
 * the stack on deep nesting. */
#ifndef GRPCC_WIRE_H
#define GRPCC_WIRE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "proto/runtime/status.h"

struct grpcc_wire_limits {
    unsigned max_depth;    /* nesting of messages and groups */
    size_t max_elements;   /* fields and elements of packed ones, nested ones included */
};

/* Walks `length` bytes against the descriptor without allocating: well-formed tags and lengths, wire types that fit, UTF-8 without NUL in strings,
 * depth and count within the limits. 0, or -1 and *status (INVALID_ARGUMENT, reason INVALID_MESSAGE, naming the field's path where there is one). */
int grpcc_wire_check(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data, size_t length,
                     const struct grpcc_wire_limits *limits, struct grpcc_status **status);

/* Looks through a message, nested ones included, for the first field or enum value that its descriptor doesn't know. True if there is one: *path (appended to)
 * names it, as in "filesystem.paths[2].access" or "filesystem.99" for an unknown field number; *unknown_enum tells which it was. */
bool grpcc_message_find_unknown(const ProtobufCMessage *message, struct heel_buffer *path, bool *unknown_enum);

#endif
