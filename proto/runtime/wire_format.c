#include "proto/runtime/wire_format.h"

#include <limits.h>
#include <string.h>

#define MAX_VARINT_BYTES 10
#define MAX_FIELD_NUMBER ((1u << 29) - 1)

bool grpcc_wire_read_varint(struct grpcc_wire_reader *reader, uint64_t *value)
{
    const uint8_t *at = reader->at;
    uint64_t sum = 0;

    for (unsigned i = 0; i < MAX_VARINT_BYTES && at < reader->end; i++) {
        uint8_t byte = *at++;

        if (i == MAX_VARINT_BYTES - 1 && byte > 1)
            return false;
        sum |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            reader->at = at;
            *value = sum;
            return true;
        }
    }
    return false;
}

/* Little-endian, `size` bytes. */
static bool read_fixed(struct grpcc_wire_reader *reader, size_t size, uint64_t *value)
{
    uint64_t sum = 0;

    if ((size_t)(reader->end - reader->at) < size)
        return false;
    for (size_t i = 0; i < size; i++)
        sum |= (uint64_t)reader->at[i] << (8 * i);
    reader->at += size;
    *value = sum;
    return true;
}

/* protobuf-c reads at most five bytes of a length, and no length above INT_MAX. */
static bool read_bytes(struct grpcc_wire_reader *reader, struct grpcc_wire_field *field)
{
    const uint8_t *start = reader->at;
    uint64_t length;

    if (!grpcc_wire_read_varint(reader, &length) || reader->at - start > 5 || length > INT_MAX ||
        length > (uint64_t)(reader->end - reader->at))
        return false;
    field->data = reader->at;
    field->length = (size_t)length;
    reader->at += length;
    return true;
}

/* A tag is at most five bytes, however it is spelled. */
static bool read_tag(struct grpcc_wire_reader *reader, struct grpcc_wire_field *field,
                     unsigned *type)
{
    const uint8_t *start = reader->at;
    uint64_t tag;

    if (!grpcc_wire_read_varint(reader, &tag) || reader->at - start > 5 || tag >> 3 == 0 ||
        tag >> 3 > MAX_FIELD_NUMBER)
        return false;
    field->number = (uint32_t)(tag >> 3);
    *type = (unsigned)(tag & 7);
    return true;
}

static int malformed(const char **problem, const char *what)
{
    *problem = what;
    return -1;
}

int grpcc_wire_read(struct grpcc_wire_reader *reader, struct grpcc_wire_field *field,
                    const char **problem)
{
    unsigned type;

    if (reader->at == reader->end)
        return 0;
    *field = (struct grpcc_wire_field){0};
    if (!read_tag(reader, field, &type))
        return malformed(problem, "has a malformed tag");
    field->type = (enum grpcc_wire_type)type;
    switch (type) {
    case GRPCC_WIRE_VARINT:
        return grpcc_wire_read_varint(reader, &field->value)
                   ? 1
                   : malformed(problem, "has a malformed varint");
    case GRPCC_WIRE_FIXED64:
        return read_fixed(reader, 8, &field->value) ? 1 : malformed(problem, "is cut short");
    case GRPCC_WIRE_FIXED32:
        return read_fixed(reader, 4, &field->value) ? 1 : malformed(problem, "is cut short");
    case GRPCC_WIRE_BYTES:
        return read_bytes(reader, field) ? 1 : malformed(problem, "has a length beyond its end");
    default:
        return malformed(problem, "has an unsupported wire type");
    }
}

static void put_raw_varint(struct heel_buffer *to, uint64_t value)
{
    uint8_t bytes[MAX_VARINT_BYTES];
    size_t length = 0;

    while (value >= 0x80) {
        bytes[length++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[length++] = (uint8_t)value;
    heel_buffer_append(to, bytes, length);
}

static void put_tag(struct heel_buffer *to, uint32_t number, enum grpcc_wire_type type)
{
    put_raw_varint(to, (uint64_t)number << 3 | type);
}

void grpcc_wire_put_varint(struct heel_buffer *to, uint32_t number, uint64_t value)
{
    if (value == 0)
        return;
    put_tag(to, number, GRPCC_WIRE_VARINT);
    put_raw_varint(to, value);
}

void grpcc_wire_put_bytes(struct heel_buffer *to, uint32_t number, const void *data, size_t length)
{
    put_tag(to, number, GRPCC_WIRE_BYTES);
    put_raw_varint(to, length);
    heel_buffer_append(to, data, length);
}

void grpcc_wire_put_string(struct heel_buffer *to, uint32_t number, const char *text)
{
    if (text && *text)
        grpcc_wire_put_bytes(to, number, text, strlen(text));
}
