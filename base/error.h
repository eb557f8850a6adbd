/* The error that crosses every component of heel.
 *
 * A function that can fail takes `struct heel_error **err` last, returns 0 or -1 (or NULL), and on
 * failure stores one error there; the caller owns it. `err` may be NULL where the caller does not
 * care. Libraries neither log nor exit: whoever stands at the edge (an RPC handler, a CLI verb)
 * reports the error once. */
#ifndef HEEL_BASE_ERROR_H
#define HEEL_BASE_ERROR_H

#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

/* One-to-one with the gRPC status codes, numbers included. */
enum heel_code {
    HEEL_OK = 0,
    HEEL_CANCELLED = 1,
    HEEL_UNKNOWN = 2,
    HEEL_INVALID_ARGUMENT = 3,
    HEEL_DEADLINE_EXCEEDED = 4,
    HEEL_NOT_FOUND = 5,
    HEEL_ALREADY_EXISTS = 6,
    HEEL_PERMISSION_DENIED = 7,
    HEEL_RESOURCE_EXHAUSTED = 8,
    HEEL_FAILED_PRECONDITION = 9,
    HEEL_ABORTED = 10,
    HEEL_OUT_OF_RANGE = 11,
    HEEL_UNIMPLEMENTED = 12,
    HEEL_INTERNAL = 13,
    HEEL_UNAVAILABLE = 14,
    HEEL_DATA_LOSS = 15,
    HEEL_UNAUTHENTICATED = 16,
};

#define HEEL_ERROR_METADATA_MAX 8

/* One key=value of an error's details; both strings are owned by the error. */
struct heel_error_metadata {
    char *key;
    char *value;
};

struct heel_error {
    enum heel_code code;
    int system_errno;   /* errno of the call that failed, 0 where there was none */
    const char *reason; /* UPPER_SNAKE, a literal; NULL where the code says it all. See
                           proto/heel/v1/error.proto. */
    char *message;      /* owned; one sentence that a person can act on */
    char *field; /* owned; the offending request field, as in "spec.filesystem.paths[2].path"; NULL
                    if none */
    int retry_after_ms; /* when a retry may succeed; 0 if unknown or never */
    size_t metadata_count;
    struct heel_error_metadata metadata[HEEL_ERROR_METADATA_MAX];
};

/* Each stores a new error in *err (if err is not NULL) and returns -1, so that `return
 * heel_error_set(...)` reads well. `reason` must be a string literal or NULL. Out of memory aborts:
 * an error that can't be reported is no error model. */
int heel_error_set(struct heel_error **err, enum heel_code code, const char *reason,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* As heel_error_set, for a failed system call: the message gains ": " and the text of
 * `system_errno`. The code is chosen from the errno (ENOENT: NOT_FOUND, EACCES and EPERM:
 * PERMISSION_DENIED, EMFILE, ENFILE, ENOSPC, ENOMEM, EAGAIN: RESOURCE_EXHAUSTED, else INTERNAL). */
int heel_error_set_errno(struct heel_error **err, int system_errno, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As heel_error_set with INVALID_ARGUMENT, reason INVALID_FIELD and the field's path. */
int heel_error_set_field(struct heel_error **err, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " before the message of *err (nothing if err or *err is NULL) and returns -1. */
int heel_error_wrap(struct heel_error **err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Sets the field path (replacing one), the reason, or adds a metadata pair (silently dropped beyond
 * HEEL_ERROR_METADATA_MAX). NULL error: nothing happens. */
void heel_error_set_field_path(struct heel_error *error, const char *field);
void heel_error_add_metadata(struct heel_error *error, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Hands `*from` over to `to` (freed if `to` is NULL), leaves NULL and returns -1. */
int heel_error_propagate(struct heel_error **to, struct heel_error **from);

/* NULL is fine. */
void heel_error_free(struct heel_error *error);

/* "INVALID_ARGUMENT" and so on; "UNKNOWN" for a number that is no code. Static. */
const char *heel_code_name(enum heel_code code);

HEEL_DEFINE_AUTOFREE(error, struct heel_error, heel_error_free);
#define heel_autoerror HEEL_AUTOFREE(error)

#endif
