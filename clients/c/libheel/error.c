#include "clients/c/libheel/error.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "clients/c/libheel/heel/heel.h"
#include "proto/runtime/json.h"

/* An error's reason is a literal everywhere else. This one came over the wire, maybe from a newer
 * server, so it lives behind the error, in the same allocation, and goes with it. */
struct error_with_reason {
    struct heel_error error;
    char reason[];
};

static struct heel_error *new_error(const struct grpcc_status *status)
{
    size_t length = status->reason ? strlen(status->reason) : 0;
    struct error_with_reason *with = heel_xcalloc(1, sizeof(*with) + length + 1);

    with->error.code = (enum heel_code)status->code;
    if (length) {
        memcpy(with->reason, status->reason, length);
        with->error.reason = with->reason;
    }
    return &with->error;
}

/* What gRPC itself says of these two is of little use to whoever reads it. */
static char *message_of(const struct grpcc_status *status, const char *address)
{
    if (status->code == HEEL_UNAVAILABLE && !status->reason)
        return heel_format("the connection to the server at %s was lost (%s)", address,
                           status->message);
    if (status->code == HEEL_DEADLINE_EXCEEDED && !status->reason)
        return heel_xstrdup("the deadline of the call passed before the server answered");
    return heel_xstrdup(*status->message ? status->message
                                         : heel_code_name((enum heel_code)status->code));
}

int error_from_status(struct heel_error **err, const struct grpcc_status *status,
                      const char *address)
{
    struct heel_error *error;

    if (!err)
        return -1;
    error = new_error(status);
    error->message = message_of(status, address);
    if (status->field_count)
        heel_error_set_field_path(error, status->fields[0].field);
    if (status->retry_delay_ms > 0)
        error->retry_after_ms =
            status->retry_delay_ms > INT32_MAX ? INT32_MAX : (int)status->retry_delay_ms;
    for (size_t i = 0; i < status->metadata_count; i++)
        heel_error_add_metadata(error, status->metadata[i].key, "%s", status->metadata[i].value);
    *err = error;
    return -1;
}

enum heel_error_code heel_error_code(const struct heel_error *error)
{
    return error ? (enum heel_error_code)error->code : HEEL_ERROR_NONE;
}

const char *heel_error_code_name(enum heel_error_code code)
{
    return heel_code_name((enum heel_code)code);
}

const char *heel_error_message(const struct heel_error *error)
{
    return error && error->message ? error->message : "";
}

const char *heel_error_reason(const struct heel_error *error)
{
    return error && error->reason ? error->reason : "";
}

const char *heel_error_field(const struct heel_error *error)
{
    return error && error->field ? error->field : "";
}

int64_t heel_error_retry_after_ms(const struct heel_error *error)
{
    return error ? error->retry_after_ms : 0;
}

size_t heel_error_metadata_count(const struct heel_error *error)
{
    return error ? error->metadata_count : 0;
}

struct heel_pair heel_error_metadata_at(const struct heel_error *error, size_t index)
{
    struct heel_pair pair = {NULL, NULL};

    if (index < heel_error_metadata_count(error)) {
        pair.name = error->metadata[index].key;
        pair.value = error->metadata[index].value;
    }
    return pair;
}

const char *heel_error_metadata(const struct heel_error *error, const char *name)
{
    for (size_t i = 0; i < heel_error_metadata_count(error); i++)
        if (strcmp(error->metadata[i].key, name) == 0)
            return error->metadata[i].value;
    return NULL;
}

static void append_member(struct heel_buffer *to, const char *name, const char *value)
{
    if (to->data[to->length - 1] != '{')
        heel_buffer_append_text(to, ",");
    grpcc_json_print_string(name, strlen(name), to);
    heel_buffer_append_text(to, ":");
    grpcc_json_print_string(value, strlen(value), to);
}

char *heel_error_json(const struct heel_error *error)
{
    struct heel_buffer to = {0};

    heel_buffer_append_text(&to, "{\"error\":{");
    append_member(&to, "code", heel_error_code_name(heel_error_code(error)));
    append_member(&to, "reason", heel_error_reason(error));
    append_member(&to, "message", heel_error_message(error));
    append_member(&to, "field", heel_error_field(error));
    heel_buffer_append_text(&to, ",\"metadata\":{");
    for (size_t i = 0; i < heel_error_metadata_count(error); i++)
        append_member(&to, error->metadata[i].key, error->metadata[i].value);
    heel_buffer_append_text(&to, "}}}");
    return to.data;
}
