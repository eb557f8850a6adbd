#include "proto/runtime/json_schema.h"

#include <string.h>

/* One or two fields with these names and types, numbered from 1. */
struct known_type {
    const char *name;
    enum grpcc_json_form form;
    struct {
        const char *name;
        ProtobufCType type;
        bool repeated;
    } fields[2];
};

/* clang-format off */
#define WRAPPER(name, type) {"google.protobuf." name, GRPCC_JSON_WRAPPER, {{"value", type, false}}}
/* clang-format on */

static const struct known_type known_types[] = {
    {"google.protobuf.Duration",
     GRPCC_JSON_DURATION,
     {{"seconds", PROTOBUF_C_TYPE_INT64, false}, {"nanos", PROTOBUF_C_TYPE_INT32, false}}},
    {"google.protobuf.Timestamp",
     GRPCC_JSON_TIMESTAMP,
     {{"seconds", PROTOBUF_C_TYPE_INT64, false}, {"nanos", PROTOBUF_C_TYPE_INT32, false}}},
    {"google.protobuf.FieldMask", GRPCC_JSON_FIELD_MASK, {{"paths", PROTOBUF_C_TYPE_STRING, true}}},
    WRAPPER("DoubleValue", PROTOBUF_C_TYPE_DOUBLE),
    WRAPPER("FloatValue", PROTOBUF_C_TYPE_FLOAT),
    WRAPPER("Int64Value", PROTOBUF_C_TYPE_INT64),
    WRAPPER("UInt64Value", PROTOBUF_C_TYPE_UINT64),
    WRAPPER("Int32Value", PROTOBUF_C_TYPE_INT32),
    WRAPPER("UInt32Value", PROTOBUF_C_TYPE_UINT32),
    WRAPPER("BoolValue", PROTOBUF_C_TYPE_BOOL),
    WRAPPER("StringValue", PROTOBUF_C_TYPE_STRING),
    WRAPPER("BytesValue", PROTOBUF_C_TYPE_BYTES),
    {.name = "google.protobuf.Any", .form = GRPCC_JSON_UNSUPPORTED},
    {.name = "google.protobuf.Struct", .form = GRPCC_JSON_UNSUPPORTED},
    {.name = "google.protobuf.Value", .form = GRPCC_JSON_UNSUPPORTED},
    {.name = "google.protobuf.ListValue", .form = GRPCC_JSON_UNSUPPORTED},
};

static bool has_shape(const ProtobufCMessageDescriptor *type, const struct known_type *known)
{
    unsigned count = 0;

    while (count < HEEL_ARRAY_LENGTH(known->fields) && known->fields[count].name)
        count++;
    if (count > 0 && type->n_fields != count)
        return false;
    for (unsigned i = 0; i < count; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];

        if (strcmp(field->name, known->fields[i].name) != 0 || field->id != i + 1 ||
            field->type != known->fields[i].type ||
            (field->label == PROTOBUF_C_LABEL_REPEATED) != known->fields[i].repeated)
            return false;
    }
    return true;
}

enum grpcc_json_form grpcc_json_form_of(const ProtobufCMessageDescriptor *type)
{
    if (!heel_starts_with(type->name, "google.protobuf."))
        return GRPCC_JSON_OBJECT;
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(known_types); i++)
        if (strcmp(type->name, known_types[i].name) == 0)
            return has_shape(type, &known_types[i]) ? known_types[i].form : GRPCC_JSON_UNSUPPORTED;
    return GRPCC_JSON_OBJECT;
}

static char upper(char letter)
{
    return letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A') : letter;
}

/* The character at *at in the spelling that drops underscores and makes the next letter a capital;
 * NUL at the end. Moves *at on. */
static char next_camel(const char **at, bool capital)
{
    for (; **at == '_'; (*at)++)
        capital = true;
    if (**at == '\0')
        return '\0';
    return capital ? upper(*(*at)++) : *(*at)++;
}

/* LabelsEntry for labels, in the type that declares the field. */
static bool has_entry_name(const ProtobufCMessageDescriptor *owner,
                           const ProtobufCFieldDescriptor *field)
{
    const char *name = ((const ProtobufCMessageDescriptor *)field->descriptor)->name;
    const char *at = field->name;
    size_t prefix = strlen(owner->name);
    char expected;

    if (!heel_starts_with(name, owner->name) || name[prefix] != '.')
        return false;
    name += prefix + 1;
    for (bool first = true; (expected = next_camel(&at, first)) != '\0'; first = false)
        if (*name++ != expected)
            return false;
    return strcmp(name, "Entry") == 0;
}

static bool can_be_key(ProtobufCType type)
{
    return type != PROTOBUF_C_TYPE_FLOAT && type != PROTOBUF_C_TYPE_DOUBLE &&
           type != PROTOBUF_C_TYPE_BYTES && type != PROTOBUF_C_TYPE_MESSAGE &&
           type != PROTOBUF_C_TYPE_ENUM;
}

bool grpcc_json_is_map(const ProtobufCMessageDescriptor *owner,
                       const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *entry = field->descriptor;

    return field->label == PROTOBUF_C_LABEL_REPEATED && field->type == PROTOBUF_C_TYPE_MESSAGE &&
           entry->n_fields == 2 && entry->fields[0].id == 1 &&
           strcmp(entry->fields[0].name, "key") == 0 && can_be_key(entry->fields[0].type) &&
           entry->fields[0].label != PROTOBUF_C_LABEL_REPEATED && entry->fields[1].id == 2 &&
           strcmp(entry->fields[1].name, "value") == 0 &&
           entry->fields[1].label != PROTOBUF_C_LABEL_REPEATED && has_entry_name(owner, field);
}

void grpcc_json_append_name(struct heel_buffer *to, const char *name)
{
    char letter;

    while ((letter = next_camel(&name, false)) != '\0')
        heel_buffer_append(to, &letter, 1);
}

static bool is_json_name(const char *name, const char *text)
{
    char letter;

    while ((letter = next_camel(&name, false)) != '\0')
        if (*text++ != letter)
            return false;
    return *text == '\0';
}

const ProtobufCFieldDescriptor *grpcc_json_find_field(const ProtobufCMessageDescriptor *type,
                                                      const char *name)
{
    for (unsigned i = 0; i < type->n_fields; i++)
        if (strcmp(type->fields[i].name, name) == 0 || is_json_name(type->fields[i].name, name))
            return &type->fields[i];
    return NULL;
}

size_t grpcc_json_size_of(ProtobufCType type)
{
    static const size_t sizes[] = {
        [PROTOBUF_C_TYPE_INT32] = 4,
        [PROTOBUF_C_TYPE_SINT32] = 4,
        [PROTOBUF_C_TYPE_SFIXED32] = 4,
        [PROTOBUF_C_TYPE_INT64] = 8,
        [PROTOBUF_C_TYPE_SINT64] = 8,
        [PROTOBUF_C_TYPE_SFIXED64] = 8,
        [PROTOBUF_C_TYPE_UINT32] = 4,
        [PROTOBUF_C_TYPE_FIXED32] = 4,
        [PROTOBUF_C_TYPE_UINT64] = 8,
        [PROTOBUF_C_TYPE_FIXED64] = 8,
        [PROTOBUF_C_TYPE_FLOAT] = 4,
        [PROTOBUF_C_TYPE_DOUBLE] = 8,
        [PROTOBUF_C_TYPE_BOOL] = sizeof(protobuf_c_boolean),
        [PROTOBUF_C_TYPE_ENUM] = sizeof(int),
        [PROTOBUF_C_TYPE_STRING] = sizeof(char *),
        [PROTOBUF_C_TYPE_BYTES] = sizeof(ProtobufCBinaryData),
        [PROTOBUF_C_TYPE_MESSAGE] = sizeof(ProtobufCMessage *),
    };

    return sizes[type];
}
