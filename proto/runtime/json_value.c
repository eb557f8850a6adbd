#include "proto/runtime/json_value.h"

#include <math.h>
#include <string.h>

#include "proto/runtime/json_base64.h"
#include "proto/runtime/json_number.h"
#include "proto/runtime/json_time.h"

/* What a token, a number or a string that holds one, consists of; borrowed from the reader. */
struct token {
    const char *text;
    size_t length;
};

void grpcc_json_leave(struct grpcc_json_reader *reader, size_t length)
{
    reader->path.length = length;
    reader->path.data[length] = '\0';
}

/* ---- numbers ---- */

static bool is_number(const struct token *token)
{
    return token->length > 0 && grpcc_json_scan_number(token->text, token->length) == token->length;
}

/* Integers may be numbers or strings; the keys of maps are always strings. */
static int read_number_or_string(struct grpcc_json_reader *reader, struct token *token)
{
    if (grpcc_json_peek(reader) != GRPCC_JSON_IS_STRING)
        return grpcc_json_read_number(reader, &token->text, &token->length);
    if (grpcc_json_read_string(reader))
        return -1;
    *token = (struct token){reader->string.data, reader->string.length};
    return 0;
}

static int to_signed(struct grpcc_json_reader *reader, const struct token *token, int64_t lowest,
                     int64_t highest, int64_t *value)
{
    uint64_t magnitude;
    bool negative;

    if (!is_number(token) ||
        !grpcc_json_to_integer(token->text, token->length, &negative, &magnitude) ||
        magnitude > (negative ? -(uint64_t)lowest : (uint64_t)highest))
        return grpcc_json_fail(reader, "is no integer from %lld to %lld", (long long)lowest,
                               (long long)highest);
    *value = (int64_t)(negative ? -magnitude : magnitude);
    return 0;
}

static int to_unsigned(struct grpcc_json_reader *reader, const struct token *token,
                       uint64_t highest, uint64_t *value)
{
    uint64_t magnitude;
    bool negative;

    if (!is_number(token) ||
        !grpcc_json_to_integer(token->text, token->length, &negative, &magnitude) ||
        magnitude > (negative ? 0 : highest))
        return grpcc_json_fail(reader, "is no integer from 0 to %llu", (unsigned long long)highest);
    *value = magnitude;
    return 0;
}

static int to_integer(struct grpcc_json_reader *reader, ProtobufCType type,
                      const struct token *token, void *value)
{
    uint64_t natural = 0;
    int64_t number = 0;

    switch (type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        if (to_unsigned(reader, token, UINT32_MAX, &natural))
            return -1;
        *(uint32_t *)value = (uint32_t)natural;
        return 0;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return to_unsigned(reader, token, UINT64_MAX, value);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return to_signed(reader, token, INT64_MIN, INT64_MAX, value);
    default:
        if (to_signed(reader, token, INT32_MIN, INT32_MAX, &number))
            return -1;
        *(int32_t *)value = (int32_t)number;
        return 0;
    }
}

static bool is_special(const struct token *token, double *value)
{
    static const struct {
        const char *name;
        double value;
    } specials[] = {
        {"NaN", (double)NAN}, {"Infinity", (double)INFINITY}, {"-Infinity", -(double)INFINITY}};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(specials); i++) {
        if (token->length == strlen(specials[i].name) &&
            memcmp(token->text, specials[i].name, token->length) == 0) {
            *value = specials[i].value;
            return true;
        }
    }
    return false;
}

static int read_floating(struct grpcc_json_reader *reader, ProtobufCType type, void *value)
{
    bool is_string = grpcc_json_peek(reader) == GRPCC_JSON_IS_STRING;
    bool is_float = type == PROTOBUF_C_TYPE_FLOAT;
    struct token token;
    double special;

    if (read_number_or_string(reader, &token))
        return -1;
    if (is_string && is_special(&token, &special)) {
        if (is_float)
            *(float *)value = (float)special;
        else
            *(double *)value = special;
        return 0;
    }
    if (!is_number(&token))
        return grpcc_json_fail(reader, "is no number, \"NaN\", \"Infinity\" or \"-Infinity\"");
    if (is_float ? !grpcc_json_to_float(token.text, token.length, value)
                 : !grpcc_json_to_double(token.text, token.length, value))
        return grpcc_json_fail(reader, "is out of range");
    return 0;
}

/* ---- the other scalars ---- */

static int read_bool(struct grpcc_json_reader *reader, protobuf_c_boolean *value)
{
    bool read;

    if (grpcc_json_read_bool(reader, &read))
        return -1;
    *value = read;
    return 0;
}

/* A name, or a number, which need not be a known one. */
static int read_enum(struct grpcc_json_reader *reader, const ProtobufCEnumDescriptor *type,
                     int *value)
{
    heel_autobuffer struct heel_buffer escaped = {0};
    const ProtobufCEnumValue *known = NULL;
    struct token token;

    if (grpcc_json_peek(reader) != GRPCC_JSON_IS_STRING) {
        if (grpcc_json_read_number(reader, &token.text, &token.length))
            return -1;
        return to_integer(reader, PROTOBUF_C_TYPE_INT32, &token, value);
    }
    if (grpcc_json_read_string(reader))
        return -1;
    if (strlen(reader->string.data) == reader->string.length)
        known = protobuf_c_enum_descriptor_get_value_by_name(type, reader->string.data);
    if (!known) {
        heel_buffer_append_escaped(&escaped, reader->string.data, reader->string.length);
        return grpcc_json_fail(reader, "is \"%s\", which is no value of %s",
                               escaped.data ? escaped.data : "", type->name);
    }
    *value = known->value;
    return 0;
}

static int copy_string(struct grpcc_json_reader *reader, char **value)
{
    if (strlen(reader->string.data) != reader->string.length)
        return grpcc_json_fail(reader, "holds a NUL character");
    *value = heel_xstrdup(reader->string.data);
    return 0;
}

int grpcc_json_read_c_string(struct grpcc_json_reader *reader, char **text)
{
    return grpcc_json_read_string(reader) ? -1 : copy_string(reader, text);
}

static int read_bytes(struct grpcc_json_reader *reader, ProtobufCBinaryData *value)
{
    struct heel_buffer bytes = {0};

    if (grpcc_json_read_string(reader))
        return -1;
    if (!grpcc_base64_decode(reader->string.data, reader->string.length, &bytes)) {
        heel_buffer_free(&bytes);
        return grpcc_json_fail(reader, "is no base64");
    }
    value->len = bytes.length;
    value->data = (uint8_t *)bytes.data;
    return 0;
}

int grpcc_json_read_scalar(struct grpcc_json_reader *reader, const ProtobufCFieldDescriptor *field,
                           void *value)
{
    struct token token;

    switch (field->type) {
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return read_floating(reader, field->type, value);
    case PROTOBUF_C_TYPE_BOOL:
        return read_bool(reader, value);
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(reader, field->descriptor, value);
    case PROTOBUF_C_TYPE_STRING:
        return grpcc_json_read_c_string(reader, value);
    case PROTOBUF_C_TYPE_BYTES:
        return read_bytes(reader, value);
    default:
        if (read_number_or_string(reader, &token))
            return -1;
        return to_integer(reader, field->type, &token, value);
    }
}

int grpcc_json_read_map_key(struct grpcc_json_reader *reader, const ProtobufCFieldDescriptor *field,
                            void *value)
{
    struct token key = {reader->string.data, reader->string.length};
    bool is_true = strcmp(reader->string.data, "true") == 0;

    if (field->type == PROTOBUF_C_TYPE_STRING)
        return copy_string(reader, value);
    if (field->type != PROTOBUF_C_TYPE_BOOL)
        return to_integer(reader, field->type, &key, value);
    if (!is_true && strcmp(reader->string.data, "false") != 0)
        return grpcc_json_fail(reader, "has a key that is neither \"true\" nor \"false\"");
    *(protobuf_c_boolean *)value = is_true;
    return 0;
}

/* ---- well-known types ---- */

int grpcc_json_read_duration(struct grpcc_json_reader *reader, int64_t *seconds, int32_t *nanos)
{
    heel_autofree char *text = NULL;

    if (grpcc_json_read_c_string(reader, &text))
        return -1;
    if (!grpcc_json_parse_duration(text, seconds, nanos))
        return grpcc_json_fail(reader, "is no duration such as \"90s\" or \"0.250s\"");
    return 0;
}

int grpcc_json_read_timestamp(struct grpcc_json_reader *reader, int64_t *seconds, int32_t *nanos)
{
    heel_autofree char *text = NULL;

    if (grpcc_json_read_c_string(reader, &text))
        return -1;
    if (!grpcc_json_parse_timestamp(text, seconds, nanos))
        return grpcc_json_fail(reader, "is no timestamp such as \"2024-05-17T09:30:00Z\"");
    return 0;
}

char *grpcc_json_to_proto_path(const char *path)
{
    struct heel_buffer result = {0};

    if (*path == '\0')
        return NULL;
    for (; *path; path++) {
        bool upper = *path >= 'A' && *path <= 'Z';
        bool other = (*path >= 'a' && *path <= 'z') || (*path >= '0' && *path <= '9') ||
                     *path == '.';

        if (!upper && !other) {
            heel_buffer_free(&result);
            return NULL;
        }
        if (upper)
            heel_buffer_printf(&result, "_%c", *path - 'A' + 'a');
        else
            heel_buffer_append(&result, path, 1);
    }
    return result.data;
}
