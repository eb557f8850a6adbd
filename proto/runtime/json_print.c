#include "proto/runtime/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/runtime/json_base64.h"
#include "proto/runtime/json_map.h"
#include "proto/runtime/json_number.h"
#include "proto/runtime/json_schema.h"
#include "proto/runtime/json_time.h"

struct printer {
    struct grpcc_json_options options;
    struct heel_buffer *to;
    unsigned level;
};

static const void *member(const ProtobufCMessage *message, unsigned offset)
{
    return (const char *)message + offset;
}

/* ---- layout ---- */

static void put(struct printer *printer, const char *text)
{
    heel_buffer_append_text(printer->to, text);
}

static void new_line(struct printer *printer)
{
    unsigned indent = printer->options.indent;

    if (indent)
        heel_buffer_printf(printer->to, "\n%*s", (int)(indent * printer->level), "");
}

/* Before each element; `first` is true for the first one. */
static void begin_element(struct printer *printer, bool *first)
{
    if (*first)
        printer->level++;
    else
        put(printer, ",");
    *first = false;
    new_line(printer);
}

/* After the last; `empty` where there was none. */
static void end_elements(struct printer *printer, bool empty, const char *bracket)
{
    if (!empty) {
        printer->level--;
        new_line(printer);
    }
    put(printer, bracket);
}

static void put_colon(struct printer *printer)
{
    put(printer, printer->options.indent ? ": " : ":");
}

/* ---- strings ---- */

static const char *short_escape(unsigned char letter)
{
    static const char *escapes[256] = {
        ['"'] = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b", ['\f'] = "\\f",
        ['\n'] = "\\n", ['\r'] = "\\r",  ['\t'] = "\\t",
    };

    return escapes[letter];
}

static bool is_plain(unsigned char letter)
{
    return letter >= 0x20 && letter < 0x7f && letter != '"' && letter != '\\';
}

/* One character that isn't plain ASCII; returns its length. U+0080 to U+009F are control characters
 * of terminals. */
static size_t print_character(const char *text, size_t length, struct heel_buffer *to)
{
    unsigned char first = (unsigned char)text[0], second = length > 1 ? (unsigned char)text[1] : 0;
    size_t sequence = heel_utf8_sequence(text, length);

    if (sequence == 0)
        heel_buffer_append_text(to, "\xef\xbf\xbd");
    else if (short_escape(first))
        heel_buffer_append_text(to, short_escape(first));
    else if (sequence == 1)
        heel_buffer_printf(to, "\\u%04x", first);
    else if (sequence == 2 && first == 0xc2 && second < 0xa0)
        heel_buffer_printf(to, "\\u%04x", second);
    else
        heel_buffer_append(to, text, sequence);
    return sequence ? sequence : 1;
}

void grpcc_json_print_string(const char *text, size_t length, struct heel_buffer *to)
{
    heel_buffer_append_text(to, "\"");
    while (length > 0) {
        size_t run = 0;

        while (run < length && is_plain((unsigned char)text[run]))
            run++;
        if (run > 0)
            heel_buffer_append(to, text, run);
        else
            run = print_character(text, length, to);
        text += run;
        length -= run;
    }
    heel_buffer_append_text(to, "\"");
}

static void print_text(struct printer *printer, const char *text)
{
    grpcc_json_print_string(text ? text : "", text ? strlen(text) : 0, printer->to);
}

/* ---- values ---- */

static void print_message(struct printer *printer, const ProtobufCMessage *message);

static void print_enum(struct printer *printer, const ProtobufCEnumDescriptor *type, int value)
{
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(type, value);

    if (known)
        print_text(printer, known->name);
    else
        heel_buffer_printf(printer->to, "%d", value);
}

static void print_bytes(struct printer *printer, const ProtobufCBinaryData *bytes)
{
    put(printer, "\"");
    grpcc_base64_encode(bytes->data, bytes->len, printer->to);
    put(printer, "\"");
}

/* A message that is absent where the format has no way to say so (the value of a map's entry) is an
 * empty one. */
static void print_message_or_empty(struct printer *printer, const ProtobufCMessageDescriptor *type,
                                   const ProtobufCMessage *message)
{
    heel_autofree ProtobufCMessage *empty = NULL;

    if (!message) {
        empty = heel_xmalloc(type->sizeof_message);
        protobuf_c_message_init(type, empty);
        message = empty;
    }
    print_message(printer, message);
}

static void print_value(struct printer *printer, const ProtobufCFieldDescriptor *field,
                        const void *value)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        heel_buffer_printf(printer->to, "%" PRId32, *(const int32_t *)value);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        heel_buffer_printf(printer->to, "%" PRIu32, *(const uint32_t *)value);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        heel_buffer_printf(printer->to, "\"%" PRId64 "\"", *(const int64_t *)value);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        heel_buffer_printf(printer->to, "\"%" PRIu64 "\"", *(const uint64_t *)value);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        grpcc_json_print_float(*(const float *)value, printer->to);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        grpcc_json_print_double(*(const double *)value, printer->to);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        put(printer, *(const protobuf_c_boolean *)value ? "true" : "false");
        break;
    case PROTOBUF_C_TYPE_ENUM:
        print_enum(printer, field->descriptor, *(const int *)value);
        break;
    case PROTOBUF_C_TYPE_STRING:
        print_text(printer, *(const char *const *)value);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        print_bytes(printer, value);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        print_message_or_empty(printer, field->descriptor, *(ProtobufCMessage *const *)value);
        break;
    }
}

/* ---- fields ---- */

static void print_list(struct printer *printer, const ProtobufCFieldDescriptor *field,
                       const char *elements, size_t count)
{
    bool first = true;

    put(printer, "[");
    for (size_t i = 0; i < count; i++) {
        begin_element(printer, &first);
        print_value(printer, field, elements + i * grpcc_json_size_of(field->type));
    }
    end_elements(printer, first, "]");
}

/* Keys are strings in JSON, whatever they are in the map. */
static void print_key(struct printer *printer, const ProtobufCFieldDescriptor *field,
                      const void *key)
{
    size_t start = printer->to->length;
    bool quoted;

    print_value(printer, field, key);
    quoted = printer->to->data[start] == '"';
    if (!quoted) {
        heel_autofree char *bare = heel_xstrdup(printer->to->data + start);

        printer->to->length = start;
        heel_buffer_printf(printer->to, "\"%s\"", bare);
    }
}

/* In the order of the keys; of entries with the same key the last one counts, as for any reader of
 * the wire. */
static void print_map(struct printer *printer, const ProtobufCFieldDescriptor *field,
                      ProtobufCMessage *const *entries, size_t count)
{
    const ProtobufCMessageDescriptor *type = field->descriptor;
    const ProtobufCFieldDescriptor *key = &type->fields[0], *value = &type->fields[1];
    heel_autofree struct grpcc_json_entry *sorted = grpcc_json_sort_map(field, entries, count);
    bool first = true;

    put(printer, "{");
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && grpcc_json_compare_keys(&sorted[i], &sorted[i + 1]) == 0)
            continue;
        begin_element(printer, &first);
        print_key(printer, key, member(sorted[i].message, key->offset));
        put_colon(printer);
        print_value(printer, value, member(sorted[i].message, value->offset));
    }
    end_elements(printer, first, "}");
}

/* Whether a field that has no presence holds its default. */
static bool is_default(const ProtobufCFieldDescriptor *field, const void *value)
{
    static const char zeros[8];

    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return !*(const char *const *)value || **(const char *const *)value == '\0';
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)value)->len == 0;
    default:
        return memcmp(value, zeros, grpcc_json_size_of(field->type)) == 0;
    }
}

static bool is_pointer(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_STRING || type == PROTOBUF_C_TYPE_MESSAGE;
}

static bool is_printed(const struct printer *printer, const ProtobufCMessage *message,
                       const ProtobufCFieldDescriptor *field)
{
    const void *value = member(message, field->offset);
    const void *quantifier = member(message, field->quantifier_offset);

    if (field->label == PROTOBUF_C_LABEL_REQUIRED)
        return true;
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return printer->options.emit_defaults || *(const size_t *)quantifier > 0;
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return *(const uint32_t *)quantifier == field->id;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE ||
        (field->label == PROTOBUF_C_LABEL_OPTIONAL && is_pointer(field->type)))
        return *(const void *const *)value && *(const void *const *)value != field->default_value;
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL)
        return *(const protobuf_c_boolean *)quantifier != 0;
    return printer->options.emit_defaults || !is_default(field, value);
}

static void print_field(struct printer *printer, const ProtobufCMessage *message,
                        const ProtobufCFieldDescriptor *field)
{
    const void *value = member(message, field->offset);
    size_t count;

    put(printer, "\"");
    if (printer->options.proto_names)
        put(printer, field->name);
    else
        grpcc_json_append_name(printer->to, field->name);
    put(printer, "\"");
    put_colon(printer);
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        print_value(printer, field, value);
        return;
    }
    count = *(const size_t *)member(message, field->quantifier_offset);
    if (grpcc_json_is_map(message->descriptor, field))
        print_map(printer, field, *(ProtobufCMessage *const *const *)value, count);
    else
        print_list(printer, field, *(const char *const *)value, count);
}

static void print_object(struct printer *printer, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    bool first = true;

    put(printer, "{");
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (!is_printed(printer, message, &type->fields[i]))
            continue;
        begin_element(printer, &first);
        print_field(printer, message, &type->fields[i]);
    }
    end_elements(printer, first, "}");
}

/* ---- special forms ---- */

typedef bool format_time(int64_t seconds, int32_t nanos, struct heel_buffer *to);

static bool print_time(struct printer *printer, const ProtobufCMessage *message,
                       format_time *format)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    heel_autobuffer struct heel_buffer text = {0};

    if (!format(*(const int64_t *)member(message, type->fields[0].offset),
                *(const int32_t *)member(message, type->fields[1].offset), &text))
        return false;
    print_text(printer, text.data);
    return true;
}

/* Only a path whose JSON spelling leads back to it: lower case, digits, dots, and underscores that
 * a letter follows. */
static bool is_reversible_path(const char *path)
{
    for (; *path; path++) {
        bool lower = *path >= 'a' && *path <= 'z', digit = *path >= '0' && *path <= '9';

        if (*path == '_' ? path[1] < 'a' || path[1] > 'z' : !lower && !digit && *path != '.')
            return false;
    }
    return true;
}

static bool print_field_mask(struct printer *printer, const ProtobufCMessage *message)
{
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[0];
    size_t count = *(const size_t *)member(message, field->quantifier_offset);
    char *const *paths = *(char **const *)member(message, field->offset);

    for (size_t i = 0; i < count; i++)
        if (!*paths[i] || !is_reversible_path(paths[i]))
            return false;
    put(printer, "\"");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            put(printer, ",");
        grpcc_json_append_name(printer->to, paths[i]);
    }
    put(printer, "\"");
    return true;
}

/* False where the value has no special form. */
static bool print_special(struct printer *printer, const ProtobufCMessage *message)
{
    const ProtobufCFieldDescriptor *fields = message->descriptor->fields;

    switch (grpcc_json_form_of(message->descriptor)) {
    case GRPCC_JSON_DURATION:
        return print_time(printer, message, grpcc_json_format_duration);
    case GRPCC_JSON_TIMESTAMP:
        return print_time(printer, message, grpcc_json_format_timestamp);
    case GRPCC_JSON_FIELD_MASK:
        return print_field_mask(printer, message);
    case GRPCC_JSON_WRAPPER:
        print_value(printer, &fields[0], member(message, fields[0].offset));
        return true;
    default:
        return false;
    }
}

static void print_message(struct printer *printer, const ProtobufCMessage *message)
{
    if (!print_special(printer, message))
        print_object(printer, message);
}

void grpcc_json_print(const ProtobufCMessage *message, const struct grpcc_json_options *options,
                      struct heel_buffer *to)
{
    struct printer printer = {.to = to};

    if (options)
        printer.options = *options;
    print_message(&printer, message);
}
