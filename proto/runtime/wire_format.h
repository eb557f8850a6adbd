/* The bytes of protocol buffers: reading one field after the other, and writing the few kinds that
 * the runtime needs itself. Knows no descriptors. */
#ifndef GRPCC_WIRE_FORMAT_H
#define GRPCC_WIRE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum grpcc_wire_type {
    GRPCC_WIRE_VARINT = 0,
    GRPCC_WIRE_FIXED64 = 1,
    GRPCC_WIRE_BYTES = 2,
    GRPCC_WIRE_FIXED32 = 5,
};

/* Where reading goes on; what it points to is borrowed. */
struct grpcc_wire_reader {
    const uint8_t *at;
    const uint8_t *end;
};

struct grpcc_wire_field {
    uint32_t number;
    enum grpcc_wire_type type;
    uint64_t value;      /* of a varint, or the bits of a fixed one */
    const uint8_t *data; /* borrowed; of bytes */
    size_t length;
};

/* Reads one field: 1, 0 at the end, or -1 where the bytes are malformed: field->number is then the
 * field's, or 0 where not even that could be read, and *problem a static phrase. Stricter than
 * protobuf-c, which takes number 0 and numbers above 2^29 - 1 in long spellings; groups are
 * refused. */
int grpcc_wire_read(struct grpcc_wire_reader *reader, struct grpcc_wire_field *field,
                    const char **problem);

/* Reads a bare varint, as in packed fields. False if it doesn't end, or exceeds 64 bits. */
bool grpcc_wire_read_varint(struct grpcc_wire_reader *reader, uint64_t *value);

/* Append a field. Those for a varint and a string omit the default, as proto3 does; NULL is an
 * empty string. */
void grpcc_wire_put_varint(struct heel_buffer *to, uint32_t number, uint64_t value);
void grpcc_wire_put_string(struct heel_buffer *to, uint32_t number, const char *text);
void grpcc_wire_put_bytes(struct heel_buffer *to, uint32_t number, const void *data, size_t length);

#endif
