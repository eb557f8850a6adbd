/* What stands between the network and protobuf-c's unpacker, which loses the length of strings,
 * takes bad UTF-8 and overflows the stack on deep nesting. */
#ifndef GRPCC_WIRE_H
#define GRPCC_WIRE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "proto/runtime/status.h"

struct grpcc_wire_limits {
    unsigned max_depth;  /* messages inside each other; the outermost counts */
    size_t max_elements; /* fields, elements of packed ones, those of nested messages: all */
};

/* Walks `length` bytes against the descriptor without allocating: well-formed tags and lengths,
 * wire types that fit, UTF-8 without NUL in strings, depth and count within the limits (NULL: 32
 * and 262,144). 0, or -1 and *status (INVALID_ARGUMENT, reason INVALID_MESSAGE, naming the field's
 * path where there is one).
 *
 * Refused although the format allows it: groups, and a message-typed field that isn't repeated but
 * is given twice (protobuf-c loses the scalars of the first instead of merging the two). What
 * passes can be unpacked; that still fails where a required field of proto2 is missing, or memory
 * is. */
int grpcc_wire_check(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data,
                     size_t length, const struct grpcc_wire_limits *limits,
                     struct grpcc_status **status);

/* Looks through a message, nested ones included, for the first field or enum value that its
 * descriptor doesn't know. True if there is one: *path (appended to) names it, as in
 * "filesystem.paths[2].access" or "filesystem.99" for an unknown field number; *unknown_enum tells
 * which it was. */
bool grpcc_message_find_unknown(const ProtobufCMessage *message, struct heel_buffer *path,
                                bool *unknown_enum);

#endif
