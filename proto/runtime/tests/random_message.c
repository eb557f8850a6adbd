#include "proto/runtime/tests/random_message.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint64_t below(uint64_t *state, uint64_t limit)
{
    return (random_next(state) >> 16) % limit;
}

/* Small numbers, and those at the edges of the types, more often than others. */
static uint64_t random_integer(uint64_t *state)
{
    static const uint64_t edges[] = {0,           1,          127,       128,        INT32_MAX,
                                     0x80000000u, UINT32_MAX, INT64_MAX, 1ull << 63, UINT64_MAX};

    switch (below(state, 3)) {
    case 0:
        return edges[below(state, HEEL_ARRAY_LENGTH(edges))];
    case 1:
        return below(state, 1000);
    default:
        return random_next(state);
    }
}

static double random_double(uint64_t *state)
{
    static const double some[] = {0.1,  -1.5,          1e300,           5e-324,
                                  1e21, 123456789.125, __builtin_inf(), -__builtin_inf()};

    if (below(state, 2))
        return some[below(state, HEEL_ARRAY_LENGTH(some))];
    return (double)(int64_t)random_next(state) / 1000.0;
}

static char *random_string(uint64_t *state)
{
    static const char *pieces[] = {
        "a", "Z9",   "\"",       "\\", "\n",           "\x01",
        "/", "\x7f", "\xc2\x85", "ä",  "\xe2\x80\xa8", "\xf0\x9f\x90\x9f",
        "{}"};
    struct heel_buffer text = {0};
    uint64_t length = below(state, 6);

    heel_buffer_append_text(&text, "");
    for (uint64_t i = 0; i < length; i++)
        heel_buffer_append_text(&text, pieces[below(state, HEEL_ARRAY_LENGTH(pieces))]);
    return text.data;
}

static ProtobufCBinaryData random_bytes(uint64_t *state)
{
    ProtobufCBinaryData bytes = {.len = below(state, 9)};

    if (bytes.len)
        bytes.data = heel_xmalloc(bytes.len);
    for (size_t i = 0; i < bytes.len; i++)
        bytes.data[i] = (uint8_t)random_next(state);
    return bytes;
}

static void fill_value(const ProtobufCFieldDescriptor *field, void *slot, unsigned depth,
                       uint64_t *state)
{
    const ProtobufCEnumDescriptor *values = field->descriptor;

    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        *(char **)slot = random_string(state);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        *(ProtobufCBinaryData *)slot = random_bytes(state);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        depth = depth ? depth - 1 : 0;
        *(ProtobufCMessage **)slot = random_message(field->descriptor, depth, state);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        *(int *)slot = below(state, 8) ? values->values[below(state, values->n_values)].value
                                       : (int)below(state, 1000);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)slot = (int)below(state, 2);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        *(float *)slot = (float)random_double(state);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        *(double *)slot = random_double(state);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        *(uint64_t *)slot = random_integer(state);
        break;
    default:
        *(uint32_t *)slot = (uint32_t)random_integer(state);
    }
}

static size_t size_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    default:
        return 4;
    }
}

/* Good enough for the test's own types. */
static bool is_entry(const ProtobufCMessageDescriptor *type)
{
    size_t length = strlen(type->short_name);

    return length > 5 && strcmp(type->short_name + length - 5, "Entry") == 0;
}

static void fill_repeated(char *message, const ProtobufCFieldDescriptor *field, unsigned depth,
                          uint64_t *state)
{
    /* One entry in a map: its key is unique then. */
    size_t count = field->type == PROTOBUF_C_TYPE_MESSAGE && is_entry(field->descriptor)
                       ? 1
                       : 1 + below(state, 3);
    size_t size = size_of(field->type);
    char *elements = heel_xcalloc(count, size);

    for (size_t i = 0; i < count; i++)
        fill_value(field, elements + i * size, depth, state);
    *(size_t *)(message + field->quantifier_offset) = count;
    *(void **)(message + field->offset) = elements;
}

static void fill_field(char *message, const ProtobufCFieldDescriptor *field, unsigned depth,
                       uint64_t *state)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        fill_repeated(message, field, depth, state);
        return;
    }
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        uint32_t *which = (uint32_t *)(message + field->quantifier_offset);

        if (*which)
            return;
        *which = field->id;
    } else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->quantifier_offset) {
        *(protobuf_c_boolean *)(message + field->quantifier_offset) = 1;
    }
    fill_value(field, message + field->offset, depth, state);
}

/* Seconds and nanoseconds that are in range for Duration and Timestamp, and of the same sign; a
 * mask with one path. True if it was one of these. */
static bool fill_well_known(ProtobufCMessage *message, uint64_t *state)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    bool duration = strcmp(type->name, "google.protobuf.Duration") == 0;

    if (duration || strcmp(type->name, "google.protobuf.Timestamp") == 0) {
        static const int32_t nanos[] = {0, 1, 500000000, 120000, 999999999};
        int32_t sign = duration && below(state, 2) ? -1 : 1;
        char *fields = (char *)message;
        int64_t seconds = sign * (int64_t)below(state, 200000000000);

        *(int64_t *)(fields + type->fields[0].offset) = seconds;
        *(int32_t *)(fields + type->fields[1].offset) = sign * nanos[below(state, 5)];
        return true;
    }
    if (strcmp(type->name, "google.protobuf.FieldMask") == 0) {
        char **paths = heel_xcalloc(1, sizeof(*paths));

        paths[0] = heel_xstrdup("leaf_list.some_name");
        *(size_t *)((char *)message + type->fields[0].quantifier_offset) = 1;
        *(char ***)((char *)message + type->fields[0].offset) = paths;
        return true;
    }
    return false;
}

/* Any has no form in JSON; an entry of a map has its value, which JSON can't leave out. */
static bool is_wanted(const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *field,
                      unsigned depth, uint64_t *state)
{
    bool chosen = field->label == PROTOBUF_C_LABEL_REQUIRED || below(state, 4) == 0;
    const ProtobufCMessageDescriptor *inner = field->descriptor;

    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return chosen;
    return is_entry(type) ||
           (chosen && depth > 0 && strcmp(inner->name, "google.protobuf.Any") != 0);
}

ProtobufCMessage *random_message(const ProtobufCMessageDescriptor *descriptor, unsigned depth,
                                 uint64_t *state)
{
    ProtobufCMessage *message = heel_xmalloc(descriptor->sizeof_message);

    protobuf_c_message_init(descriptor, message);
    if (fill_well_known(message, state))
        return message;
    for (unsigned i = 0; i < descriptor->n_fields; i++)
        if (is_wanted(descriptor, &descriptor->fields[i], depth, state))
            fill_field((char *)message, &descriptor->fields[i], depth, state);
    return message;
}
