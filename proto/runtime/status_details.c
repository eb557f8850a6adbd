/* google.rpc.Status on the wire. The five messages involved are published, flat and final, so they
 * are written and read here field by field; the unpacker of the runtime stands above this file. */
#include "proto/runtime/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/runtime/wire_format.h"

#define TYPE_PREFIX "type.googleapis.com/google.rpc."

/* ---- writing ---- */

static void put_message(struct heel_buffer *to, uint32_t number, struct heel_buffer *message)
{
    grpcc_wire_put_bytes(to, number, message->data, message->length);
    heel_buffer_free(message);
}

/* One google.protobuf.Any in Status.details. Empties `message`. */
static void put_detail(struct heel_buffer *to, const char *type_url, struct heel_buffer *message)
{
    struct heel_buffer any = {0};

    grpcc_wire_put_string(&any, 1, type_url);
    put_message(&any, 2, message);
    put_message(to, 3, &any);
}

static void put_error_info(struct heel_buffer *to, const struct grpcc_status *status)
{
    struct heel_buffer info = {0};

    grpcc_wire_put_string(&info, 1, status->reason);
    grpcc_wire_put_string(&info, 2, status->domain);
    for (size_t i = 0; i < status->metadata_count; i++) {
        struct heel_buffer entry = {0};

        grpcc_wire_put_string(&entry, 1, status->metadata[i].key);
        grpcc_wire_put_string(&entry, 2, status->metadata[i].value);
        put_message(&info, 3, &entry);
    }
    put_detail(to, TYPE_PREFIX "ErrorInfo", &info);
}

static void put_bad_request(struct heel_buffer *to, const struct grpcc_status *status)
{
    struct heel_buffer request = {0};

    for (size_t i = 0; i < status->field_count; i++) {
        struct heel_buffer violation = {0};

        grpcc_wire_put_string(&violation, 1, status->fields[i].field);
        grpcc_wire_put_string(&violation, 2, status->fields[i].description);
        put_message(&request, 1, &violation);
    }
    put_detail(to, TYPE_PREFIX "BadRequest", &request);
}

static void put_precondition_failure(struct heel_buffer *to, const struct grpcc_status *status)
{
    struct heel_buffer failure = {0};

    for (size_t i = 0; i < status->precondition_count; i++) {
        struct heel_buffer violation = {0};

        grpcc_wire_put_string(&violation, 1, status->preconditions[i].type);
        grpcc_wire_put_string(&violation, 2, status->preconditions[i].subject);
        grpcc_wire_put_string(&violation, 3, status->preconditions[i].description);
        put_message(&failure, 1, &violation);
    }
    put_detail(to, TYPE_PREFIX "PreconditionFailure", &failure);
}

static void put_retry_info(struct heel_buffer *to, const struct grpcc_status *status)
{
    struct heel_buffer duration = {0}, info = {0};

    grpcc_wire_put_varint(&duration, 1, (uint64_t)(status->retry_delay_ms / 1000));
    grpcc_wire_put_varint(&duration, 2, (uint64_t)(status->retry_delay_ms % 1000 * 1000000));
    put_message(&info, 1, &duration);
    put_detail(to, TYPE_PREFIX "RetryInfo", &info);
}

uint8_t *grpcc_status_encode_details(const struct grpcc_status *status, size_t *length)
{
    bool has_info = status->reason || status->domain || status->metadata_count;
    struct heel_buffer to = {0};

    if (!has_info && !status->field_count && !status->precondition_count &&
        status->retry_delay_ms < 0)
        return NULL;
    grpcc_wire_put_varint(&to, 1, (uint64_t)status->code);
    grpcc_wire_put_string(&to, 2, status->message);
    if (has_info)
        put_error_info(&to, status);
    if (status->field_count)
        put_bad_request(&to, status);
    if (status->precondition_count)
        put_precondition_failure(&to, status);
    if (status->retry_delay_ms >= 0)
        put_retry_info(&to, status);
    *length = to.length;
    return (uint8_t *)to.data;
}

/* ---- reading ---- */

/* The next field that has the type bytes; false at the end, and where the rest is malformed. */
static bool next_bytes(struct grpcc_wire_reader *reader, struct grpcc_wire_field *field)
{
    const char *problem;

    while (grpcc_wire_read(reader, field, &problem) == 1)
        if (field->type == GRPCC_WIRE_BYTES)
            return true;
    return false;
}

static struct grpcc_wire_reader inside(const struct grpcc_wire_field *field)
{
    return (struct grpcc_wire_reader){field->data, field->data + field->length};
}

/* Strings 1 to `count` of a message, owned by the caller; empty where absent or not text. */
static void read_strings(struct grpcc_wire_reader reader, char **strings, uint32_t count)
{
    struct grpcc_wire_field field;

    memset(strings, 0, count * sizeof(*strings));
    while (next_bytes(&reader, &field)) {
        const char *text = (const char *)field.data;

        if (field.number > count || memchr(text, '\0', field.length) ||
            !heel_utf8_valid(text, field.length))
            continue;
        free(strings[field.number - 1]);
        strings[field.number - 1] = heel_format("%.*s", (int)field.length, text);
    }
    for (uint32_t i = 0; i < count; i++)
        if (!strings[i])
            strings[i] = heel_xstrdup("");
}

static void free_strings(char **strings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(strings[i]);
}

static void read_error_info(struct grpcc_status *status, struct grpcc_wire_reader reader)
{
    struct grpcc_wire_field field;
    char *info[2], *pair[2];

    read_strings(reader, info, 2);
    grpcc_status_set_info(status, info[1], info[0]);
    free_strings(info, 2);
    while (next_bytes(&reader, &field)) {
        if (field.number != 3)
            continue;
        read_strings(inside(&field), pair, 2);
        grpcc_status_add_metadata(status, pair[0], pair[1]);
        free_strings(pair, 2);
    }
}

static void read_bad_request(struct grpcc_status *status, struct grpcc_wire_reader reader)
{
    struct grpcc_wire_field field;
    char *violation[2];

    while (next_bytes(&reader, &field)) {
        if (field.number != 1)
            continue;
        read_strings(inside(&field), violation, 2);
        grpcc_status_add_field(status, violation[0], violation[1]);
        free_strings(violation, 2);
    }
}

static void read_precondition_failure(struct grpcc_status *status, struct grpcc_wire_reader reader)
{
    struct grpcc_wire_field field;
    char *violation[3];

    while (next_bytes(&reader, &field)) {
        if (field.number != 1)
            continue;
        read_strings(inside(&field), violation, 3);
        grpcc_status_add_precondition(status, violation[0], violation[1], violation[2]);
        free_strings(violation, 3);
    }
}

/* google.protobuf.Duration, rounded up to milliseconds; -1 where it is negative or out of range. */
static int64_t read_duration_ms(struct grpcc_wire_reader reader)
{
    const int64_t longest_seconds = 315576000000;
    int64_t seconds = 0, nanos = 0;
    struct grpcc_wire_field field;
    const char *problem;

    while (grpcc_wire_read(&reader, &field, &problem) == 1) {
        if (field.number == 1 && field.type == GRPCC_WIRE_VARINT)
            seconds = (int64_t)field.value;
        else if (field.number == 2 && field.type == GRPCC_WIRE_VARINT)
            nanos = (int64_t)field.value;
    }
    if (seconds < 0 || seconds > longest_seconds || nanos < 0 || nanos >= 1000000000)
        return -1;
    return seconds * 1000 + (nanos + 999999) / 1000000;
}

static void read_retry_info(struct grpcc_status *status, struct grpcc_wire_reader reader)
{
    struct grpcc_wire_field field;

    while (next_bytes(&reader, &field))
        if (field.number == 1)
            grpcc_status_set_retry(status, read_duration_ms(inside(&field)));
}

static const struct {
    const char *type_url;
    void (*read)(struct grpcc_status *status, struct grpcc_wire_reader reader);
} known_details[] = {
    {TYPE_PREFIX "ErrorInfo", read_error_info},
    {TYPE_PREFIX "BadRequest", read_bad_request},
    {TYPE_PREFIX "PreconditionFailure", read_precondition_failure},
    {TYPE_PREFIX "RetryInfo", read_retry_info},
};

static void read_detail(struct grpcc_status *status, struct grpcc_wire_reader any)
{
    struct grpcc_wire_field field, type_url = {0}, value = {0};

    while (next_bytes(&any, &field)) {
        if (field.number == 1)
            type_url = field;
        else if (field.number == 2)
            value = field;
    }
    for (size_t i = 0; type_url.data && i < HEEL_ARRAY_LENGTH(known_details); i++) {
        const char *known = known_details[i].type_url;

        if (type_url.length == strlen(known) && memcmp(type_url.data, known, type_url.length) == 0)
            known_details[i].read(status, inside(&value));
    }
}

void grpcc_status_decode_details(struct grpcc_status *status, const uint8_t *details, size_t length)
{
    struct grpcc_wire_reader reader = {details, details + length};
    struct grpcc_wire_field field;

    while (next_bytes(&reader, &field))
        if (field.number == 3)
            read_detail(status, inside(&field));
}
