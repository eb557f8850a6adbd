#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static struct heel_error *error_new(enum heel_code code, const char *reason, int system_errno,
                                    char *message)
{
    struct heel_error *error = heel_xcalloc(1, sizeof *error);

    error->code = code;
    error->reason = reason;
    error->system_errno = system_errno;
    error->message = message;
    return error;
}

/* An error that is stored where one stood was met while that one was handled: the newer is told. */
static int error_store(struct heel_error **err, struct heel_error *error)
{
    if (!err) {
        heel_error_free(error);
        return -1;
    }
    heel_error_free(*err);
    *err = error;
    return -1;
}

int heel_error_set(struct heel_error **err, enum heel_code code, const char *reason,
                   const char *format, ...)
{
    va_list arguments;
    char *message;

    va_start(arguments, format);
    message = heel_vformat(format, arguments);
    va_end(arguments);
    return error_store(err, error_new(code, reason, 0, message));
}

static enum heel_code code_of_errno(int system_errno)
{
    switch (system_errno) {
    case ENOENT:
        return HEEL_NOT_FOUND;
    case EACCES:
    case EPERM:
        return HEEL_PERMISSION_DENIED;
    case EMFILE:
    case ENFILE:
    case ENOSPC:
    case ENOMEM:
    case EAGAIN:
        return HEEL_RESOURCE_EXHAUSTED;
    default:
        return HEEL_INTERNAL;
    }
}

int heel_error_set_errno(struct heel_error **err, int system_errno, const char *format, ...)
{
    heel_autofree char *context = NULL;
    va_list arguments;

    va_start(arguments, format);
    context = heel_vformat(format, arguments);
    va_end(arguments);
    return error_store(err, error_new(code_of_errno(system_errno), NULL, system_errno,
                                      heel_format("%s: %s", context, strerror(system_errno))));
}

int heel_error_set_field(struct heel_error **err, const char *field, const char *format, ...)
{
    struct heel_error *error;
    va_list arguments;

    va_start(arguments, format);
    error = error_new(HEEL_INVALID_ARGUMENT, "INVALID_FIELD", 0, heel_vformat(format, arguments));
    va_end(arguments);
    error->field = heel_xstrdup(field);
    return error_store(err, error);
}

int heel_error_wrap(struct heel_error **err, const char *format, ...)
{
    heel_autofree char *context = NULL;
    va_list arguments;
    char *message;

    if (!err || !*err)
        return -1;
    va_start(arguments, format);
    context = heel_vformat(format, arguments);
    va_end(arguments);
    message = heel_format("%s: %s", context, (*err)->message);
    free((*err)->message);
    (*err)->message = message;
    return -1;
}

void heel_error_set_field_path(struct heel_error *error, const char *field)
{
    if (!error)
        return;
    free(error->field);
    error->field = heel_xstrdup(field);
}

void heel_error_add_metadata(struct heel_error *error, const char *key, const char *format, ...)
{
    va_list arguments;

    if (!error || error->metadata_count == HEEL_ERROR_METADATA_MAX)
        return;
    va_start(arguments, format);
    error->metadata[error->metadata_count].key = heel_xstrdup(key);
    error->metadata[error->metadata_count].value = heel_vformat(format, arguments);
    va_end(arguments);
    error->metadata_count++;
}

int heel_error_propagate(struct heel_error **to, struct heel_error **from)
{
    return error_store(to, heel_steal(*from));
}

void heel_error_free(struct heel_error *error)
{
    if (!error)
        return;
    for (size_t i = 0; i < error->metadata_count; i++) {
        free(error->metadata[i].key);
        free(error->metadata[i].value);
    }
    free(error->field);
    free(error->message);
    free(error);
}

const char *heel_code_name(enum heel_code code)
{
    static const char *const names[] = {
        [HEEL_OK] = "OK",
        [HEEL_CANCELLED] = "CANCELLED",
        [HEEL_UNKNOWN] = "UNKNOWN",
        [HEEL_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
        [HEEL_DEADLINE_EXCEEDED] = "DEADLINE_EXCEEDED",
        [HEEL_NOT_FOUND] = "NOT_FOUND",
        [HEEL_ALREADY_EXISTS] = "ALREADY_EXISTS",
        [HEEL_PERMISSION_DENIED] = "PERMISSION_DENIED",
        [HEEL_RESOURCE_EXHAUSTED] = "RESOURCE_EXHAUSTED",
        [HEEL_FAILED_PRECONDITION] = "FAILED_PRECONDITION",
        [HEEL_ABORTED] = "ABORTED",
        [HEEL_OUT_OF_RANGE] = "OUT_OF_RANGE",
        [HEEL_UNIMPLEMENTED] = "UNIMPLEMENTED",
        [HEEL_INTERNAL] = "INTERNAL",
        [HEEL_UNAVAILABLE] = "UNAVAILABLE",
        [HEEL_DATA_LOSS] = "DATA_LOSS",
        [HEEL_UNAUTHENTICATED] = "UNAUTHENTICATED",
    };

    return (size_t)code < HEEL_ARRAY_LENGTH(names) ? names[code] : "UNKNOWN";
}
