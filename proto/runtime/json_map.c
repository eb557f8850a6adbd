#include "proto/runtime/json_map.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/runtime/json_schema.h"

static const void *key_of(const struct grpcc_json_entry *entry)
{
    return (const char *)entry->message + entry->key->offset;
}

static bool is_signed(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_INT32 || type == PROTOBUF_C_TYPE_SINT32 ||
           type == PROTOBUF_C_TYPE_SFIXED32 || type == PROTOBUF_C_TYPE_INT64 ||
           type == PROTOBUF_C_TYPE_SINT64 || type == PROTOBUF_C_TYPE_SFIXED64;
}

/* Widened so that the order of the unsigned results is the order of the keys. */
static uint64_t integer_key(const struct grpcc_json_entry *entry)
{
    ProtobufCType type = entry->key->type;
    bool wide = grpcc_json_size_of(type) == sizeof(uint64_t);
    const void *key = key_of(entry);
    int64_t number;

    if (!is_signed(type))
        return wide ? *(const uint64_t *)key : *(const uint32_t *)key;
    number = wide ? *(const int64_t *)key : *(const int32_t *)key;
    return (uint64_t)number ^ UINT64_C(1) << 63;
}

int grpcc_json_compare_keys(const struct grpcc_json_entry *one,
                            const struct grpcc_json_entry *other)
{
    uint64_t a, b;

    if (one->key->type == PROTOBUF_C_TYPE_STRING) {
        const char *text = *(const char *const *)key_of(one);
        const char *other_text = *(const char *const *)key_of(other);

        return strcmp(text ? text : "", other_text ? other_text : "");
    }
    a = integer_key(one);
    b = integer_key(other);
    return (a > b) - (a < b);
}

static int compare(const void *one, const void *other)
{
    const struct grpcc_json_entry *a = one, *b = other;
    int keys = grpcc_json_compare_keys(a, b);

    return keys ? keys : (a->position > b->position) - (a->position < b->position);
}

struct grpcc_json_entry *grpcc_json_sort_map(const ProtobufCFieldDescriptor *field,
                                             ProtobufCMessage *const *entries, size_t count)
{
    const ProtobufCMessageDescriptor *type = field->descriptor;
    struct grpcc_json_entry *sorted = heel_xcalloc(count, sizeof(*sorted));

    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct grpcc_json_entry){&type->fields[0], entries[i], i};
    qsort(sorted, count, sizeof(*sorted), compare);
    return sorted;
}
