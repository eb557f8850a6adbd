/* Messages are built in the form that protobuf-c's unpacker gives them: everything in malloc'd
 * memory, attached to its parent before it is filled, so that freeing the outermost message as an
 * unpacked one cleans up after a failure anywhere. */
#include "proto/runtime/json.h"

#include <limits.h>
#include <string.h>

#include "proto/runtime/json_map.h"
#include "proto/runtime/json_reader.h"
#include "proto/runtime/json_schema.h"
#include "proto/runtime/json_value.h"

static void *member(ProtobufCMessage *message, unsigned offset)
{
    return (char *)message + offset;
}

static ProtobufCMessage *new_message(const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = heel_xmalloc(type->sizeof_message);

    protobuf_c_message_init(type, message);
    return message;
}

static int read_message(struct grpcc_json_reader *reader, ProtobufCMessage *message);

static int read_value(struct grpcc_json_reader *reader, const ProtobufCFieldDescriptor *field,
                      void *value)
{
    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return grpcc_json_read_scalar(reader, field, value);
    *(ProtobufCMessage **)value = new_message(field->descriptor);
    return read_message(reader, *(ProtobufCMessage **)value);
}

/* ---- repeated fields and maps ---- */

/* Makes room for one more element, zeroed and counted; returns it. The capacity is the next power
 * of two. */
static void *append_element(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    size_t *count = member(message, field->quantifier_offset);
    size_t size = grpcc_json_size_of(field->type);
    char **elements = member(message, field->offset);

    if ((*count & (*count - 1)) == 0)
        *elements = heel_xrealloc(*elements, *count ? *count * 2 : 1, size);
    return memset(*elements + (*count)++ * size, 0, size);
}

static int read_list(struct grpcc_json_reader *reader, ProtobufCMessage *message,
                     const ProtobufCFieldDescriptor *field)
{
    size_t outer_length = reader->path.length;
    bool first;
    int more;

    if (grpcc_json_begin(reader, "[]", &first))
        return -1;
    for (size_t i = 0; (more = grpcc_json_next(reader, "[]", &first)) == 1; i++) {
        heel_buffer_printf(&reader->path, "[%zu]", i);
        if (read_value(reader, field, append_element(message, field)))
            return -1;
        grpcc_json_leave(reader, outer_length);
    }
    return more;
}

/* The path says labels["key"], the key escaped. */
static int read_entry(struct grpcc_json_reader *reader, ProtobufCMessage *entry)
{
    const ProtobufCFieldDescriptor *key = &entry->descriptor->fields[0];
    const ProtobufCFieldDescriptor *value = &entry->descriptor->fields[1];

    heel_buffer_append_text(&reader->path, "[\"");
    heel_buffer_append_escaped(&reader->path, reader->string.data, reader->string.length);
    heel_buffer_append_text(&reader->path, "\"]");
    if (grpcc_json_read_map_key(reader, key, member(entry, key->offset)))
        return -1;
    return read_value(reader, value, member(entry, value->offset));
}

static int check_unique(struct grpcc_json_reader *reader, ProtobufCMessage *message,
                        const ProtobufCFieldDescriptor *field)
{
    size_t count = *(size_t *)member(message, field->quantifier_offset);
    ProtobufCMessage **entries = *(ProtobufCMessage ***)member(message, field->offset);
    heel_autofree struct grpcc_json_entry *sorted = grpcc_json_sort_map(field, entries, count);

    for (size_t i = 1; i < count; i++)
        if (grpcc_json_compare_keys(&sorted[i - 1], &sorted[i]) == 0)
            return grpcc_json_fail(reader, "has the same key in entries %zu and %zu",
                                   sorted[i - 1].position + 1, sorted[i].position + 1);
    return 0;
}

static int read_map(struct grpcc_json_reader *reader, ProtobufCMessage *message,
                    const ProtobufCFieldDescriptor *field)
{
    size_t outer_length = reader->path.length;
    bool first;
    int more;

    if (grpcc_json_begin(reader, "{}", &first))
        return -1;
    while ((more = grpcc_json_next(reader, "{}", &first)) == 1) {
        ProtobufCMessage **entry = append_element(message, field);

        *entry = new_message(field->descriptor);
        if (grpcc_json_read_key(reader) || read_entry(reader, *entry))
            return -1;
        grpcc_json_leave(reader, outer_length);
    }
    return more ? -1 : check_unique(reader, message, field);
}

/* ---- messages ---- */

static int read_singular(struct grpcc_json_reader *reader, ProtobufCMessage *message,
                         const ProtobufCFieldDescriptor *field)
{
    void *quantifier = member(message, field->quantifier_offset);

    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        if (*(uint32_t *)quantifier)
            return grpcc_json_fail(reader, "is the second member of a oneof");
        *(uint32_t *)quantifier = field->id;
    } else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->quantifier_offset) {
        *(protobuf_c_boolean *)quantifier = 1;
    }
    return read_value(reader, field, member(message, field->offset));
}

static int read_field(struct grpcc_json_reader *reader, ProtobufCMessage *message,
                      const ProtobufCFieldDescriptor *field)
{
    if (grpcc_json_peek(reader) == GRPCC_JSON_IS_NULL)
        return grpcc_json_read_null(reader);
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return read_singular(reader, message, field);
    if (grpcc_json_is_map(message->descriptor, field))
        return read_map(reader, message, field);
    return read_list(reader, message, field);
}

/* The field that reader->string names; NULL, and a failure, if there is none or `seen` (a bit for
 * each field) has it already. */
static const ProtobufCFieldDescriptor *find_field(struct grpcc_json_reader *reader,
                                                  const ProtobufCMessageDescriptor *type,
                                                  unsigned char *seen)
{
    const char *name = reader->string.data;
    const ProtobufCFieldDescriptor *field = NULL;
    size_t index;

    if (strlen(name) == reader->string.length)
        field = grpcc_json_find_field(type, name);
    if (!field) {
        heel_autobuffer struct heel_buffer escaped = {0};

        heel_buffer_append_escaped(&escaped, name, reader->string.length);
        grpcc_json_fail(reader, "has no field \"%s\"", escaped.data ? escaped.data : "");
        return NULL;
    }
    index = (size_t)(field - type->fields);
    if (seen[index / CHAR_BIT] & 1u << index % CHAR_BIT) {
        grpcc_json_fail(reader, "has the field %s twice", field->name);
        return NULL;
    }
    seen[index / CHAR_BIT] |= (unsigned char)(1u << index % CHAR_BIT);
    return field;
}

static int read_object(struct grpcc_json_reader *reader, ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    heel_autofree unsigned char *seen = heel_xcalloc(type->n_fields / CHAR_BIT + 1, 1);
    size_t outer_length = reader->path.length;
    bool first;
    int more;

    if (grpcc_json_begin(reader, "{}", &first))
        return -1;
    while ((more = grpcc_json_next(reader, "{}", &first)) == 1) {
        const ProtobufCFieldDescriptor *field;

        if (grpcc_json_read_key(reader))
            return -1;
        field = find_field(reader, type, seen);
        if (!field)
            return -1;
        heel_buffer_printf(&reader->path, "%s%s", outer_length ? "." : "", field->name);
        if (read_field(reader, message, field))
            return -1;
        grpcc_json_leave(reader, outer_length);
    }
    return more;
}

/* Paths are separated by commas. */
static int read_field_mask(struct grpcc_json_reader *reader, ProtobufCMessage *message)
{
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[0];
    heel_autofree char *text = NULL;
    char *rest, *path;

    if (grpcc_json_read_c_string(reader, &text))
        return -1;
    rest = *text ? text : NULL;
    while ((path = strsep(&rest, ","))) {
        char *proto_path = grpcc_json_to_proto_path(path);

        if (!proto_path)
            return grpcc_json_fail(reader, "is no list of field paths such as \"labels,idleTtl\"");
        *(char **)append_element(message, field) = proto_path;
    }
    return 0;
}

static int read_message(struct grpcc_json_reader *reader, ProtobufCMessage *message)
{
    const ProtobufCFieldDescriptor *fields = message->descriptor->fields;

    switch (grpcc_json_form_of(message->descriptor)) {
    case GRPCC_JSON_OBJECT:
        return read_object(reader, message);
    case GRPCC_JSON_DURATION:
        return grpcc_json_read_duration(reader, member(message, fields[0].offset),
                                        member(message, fields[1].offset));
    case GRPCC_JSON_TIMESTAMP:
        return grpcc_json_read_timestamp(reader, member(message, fields[0].offset),
                                         member(message, fields[1].offset));
    case GRPCC_JSON_FIELD_MASK:
        return read_field_mask(reader, message);
    case GRPCC_JSON_WRAPPER:
        return read_value(reader, &fields[0], member(message, fields[0].offset));
    default:
        return grpcc_json_fail(reader, "has the type %s, which can't be given in JSON here",
                               message->descriptor->name);
    }
}

ProtobufCMessage *grpcc_json_parse(const ProtobufCMessageDescriptor *descriptor, const char *text,
                                   size_t length, struct grpcc_status **status)
{
    ProtobufCMessage *message = new_message(descriptor);
    struct grpcc_json_reader reader;
    int result;

    grpcc_json_reader_init(&reader, text, length);
    result = length > INT_MAX ? grpcc_json_fail(&reader, "is longer than 2 GiB")
                              : read_message(&reader, message);
    if (result == 0)
        result = grpcc_json_end(&reader);
    if (result) {
        protobuf_c_message_free_unpacked(message, NULL);
        message = NULL;
        if (status)
            *status = heel_steal(reader.status);
    }
    grpcc_json_reader_clear(&reader);
    return message;
}
