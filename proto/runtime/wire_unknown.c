/* Finds what a newer peer may have meant and this program would silently ignore. */
#include "proto/runtime/wire.h"

static const void *member(const ProtobufCMessage *message, unsigned offset)
{
    return (const char *)message + offset;
}

/* How many values the field holds in this message. */
static size_t count_values(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const void *quantifier = member(message, field->quantifier_offset);

    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return *(const size_t *)quantifier;
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return *(const uint32_t *)quantifier == field->id;
    return 1;
}

/* Puts the field's name before what the buffer holds from `start` on: the path grows outwards, once
 * something was found. */
static void prepend_name(struct heel_buffer *path, size_t start,
                         const ProtobufCFieldDescriptor *field, size_t index)
{
    heel_autofree char *inner = heel_format("%s", path->data ? path->data + start : "");

    path->length = start;
    heel_buffer_append_text(path, field->name);
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        heel_buffer_printf(path, "[%zu]", index);
    heel_buffer_printf(path, "%s%s", *inner ? "." : "", inner);
}

static bool find(const ProtobufCMessage *message, struct heel_buffer *path, bool *unknown_enum);

static bool find_in_value(const ProtobufCFieldDescriptor *field, const void *values, size_t index,
                          struct heel_buffer *path, bool *unknown_enum)
{
    const ProtobufCMessage *message;

    if (field->type == PROTOBUF_C_TYPE_ENUM) {
        *unknown_enum = !protobuf_c_enum_descriptor_get_value(field->descriptor,
                                                              ((const int *)values)[index]);
        return *unknown_enum;
    }
    message = ((ProtobufCMessage *const *)values)[index];
    return message && find(message, path, unknown_enum);
}

static bool find_in_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                          struct heel_buffer *path, bool *unknown_enum)
{
    const void *values = member(message, field->offset);
    size_t count = count_values(message, field);
    size_t start = path->length;

    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        values = *(void *const *)values;
    for (size_t i = 0; i < count; i++) {
        if (find_in_value(field, values, i, path, unknown_enum)) {
            prepend_name(path, start, field, i);
            return true;
        }
    }
    return false;
}

static bool find(const ProtobufCMessage *message, struct heel_buffer *path, bool *unknown_enum)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;

    if (message->n_unknown_fields > 0) {
        heel_buffer_printf(path, "%u", message->unknown_fields[0].tag);
        *unknown_enum = false;
        return true;
    }
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        bool can_hide = field->type == PROTOBUF_C_TYPE_ENUM ||
                        field->type == PROTOBUF_C_TYPE_MESSAGE;

        if (can_hide && find_in_field(message, field, path, unknown_enum))
            return true;
    }
    return false;
}

bool grpcc_message_find_unknown(const ProtobufCMessage *message, struct heel_buffer *path,
                                bool *unknown_enum)
{
    heel_autobuffer struct heel_buffer found = {0};

    if (!find(message, &found, unknown_enum))
        return false;
    heel_buffer_printf(path, "%s%s", path->length ? "." : "", found.data);
    return true;
}
