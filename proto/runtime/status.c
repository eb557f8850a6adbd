#include "proto/runtime/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct grpcc_status *grpcc_status_new(int code, const char *message)
{
    struct grpcc_status *status = heel_xcalloc(1, sizeof(*status));

    status->code = code;
    status->message = heel_xstrdup(message ? message : "");
    status->retry_delay_ms = -1;
    return status;
}

/* Grows the array that `array_pointer` points to by one element of `size` bytes, zeroed; returns
 * the new element. */
static void *append_element(void *array_pointer, size_t *count, size_t size)
{
    void **array = array_pointer;
    char *element;

    *array = heel_xrealloc(*array, *count + 1, size);
    element = (char *)*array + *count * size;
    (*count)++;
    return memset(element, 0, size);
}

static void replace_string(char **target, const char *text)
{
    char *copy = heel_xstrdup(text);

    free(*target);
    *target = copy;
}

void grpcc_status_set_info(struct grpcc_status *status, const char *domain, const char *reason)
{
    replace_string(&status->domain, domain);
    replace_string(&status->reason, reason);
}

void grpcc_status_add_metadata(struct grpcc_status *status, const char *key, const char *value)
{
    struct grpcc_status_pair *pair;

    for (size_t i = 0; i < status->metadata_count; i++) {
        if (strcmp(status->metadata[i].key, key) == 0) {
            replace_string(&status->metadata[i].value, value);
            return;
        }
    }
    pair = append_element(&status->metadata, &status->metadata_count, sizeof(*pair));
    pair->key = heel_xstrdup(key);
    pair->value = heel_xstrdup(value);
}

void grpcc_status_add_field(struct grpcc_status *status, const char *field, const char *description)
{
    struct grpcc_field_violation *added = append_element(&status->fields, &status->field_count,
                                                         sizeof(*added));

    added->field = heel_xstrdup(field);
    added->description = heel_xstrdup(description);
}

void grpcc_status_add_precondition(struct grpcc_status *status, const char *type,
                                   const char *subject, const char *description)
{
    struct grpcc_precondition_violation *added = append_element(
        &status->preconditions, &status->precondition_count, sizeof(*added));

    added->type = heel_xstrdup(type);
    added->subject = heel_xstrdup(subject);
    added->description = heel_xstrdup(description);
}

void grpcc_status_set_retry(struct grpcc_status *status, int64_t delay_ms)
{
    status->retry_delay_ms = delay_ms;
}

const char *grpcc_status_metadata(const struct grpcc_status *status, const char *key)
{
    for (size_t i = 0; i < status->metadata_count; i++)
        if (strcmp(status->metadata[i].key, key) == 0)
            return status->metadata[i].value;
    return NULL;
}

void grpcc_status_free(struct grpcc_status *status)
{
    if (!status)
        return;
    for (size_t i = 0; i < status->metadata_count; i++) {
        free(status->metadata[i].key);
        free(status->metadata[i].value);
    }
    for (size_t i = 0; i < status->field_count; i++) {
        free(status->fields[i].field);
        free(status->fields[i].description);
    }
    for (size_t i = 0; i < status->precondition_count; i++) {
        free(status->preconditions[i].type);
        free(status->preconditions[i].subject);
        free(status->preconditions[i].description);
    }
    free(status->metadata);
    free(status->fields);
    free(status->preconditions);
    free(status->message);
    free(status->reason);
    free(status->domain);
    free(status);
}
