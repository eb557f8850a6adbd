/* The result of a call: a code, a sentence, and the details of the rich error model, which travel
 * as google.rpc.Status in the trailer `grpc-status-details-bin`: ErrorInfo, BadRequest,
 * PreconditionFailure and RetryInfo. */
#ifndef GRPCC_STATUS_H
#define GRPCC_STATUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#else
#include "base/cleanup.h"
#endif

/* ErrorInfo.domain of the errors that the runtime itself makes. */
#define GRPCC_STATUS_DOMAIN "heel.v1"

struct grpcc_status_pair {
    char *key;   /* owned */
    char *value; /* owned */
};

struct grpcc_field_violation {
    char *field;       /* owned; "spec.filesystem.paths[2].path" */
    char *description; /* owned */
};

struct grpcc_precondition_violation {
    char *type;        /* owned; UPPER_SNAKE */
    char *subject;     /* owned */
    char *description; /* owned */
};

struct grpcc_status {
    int code;                           /* a gRPC status code, 0 is OK */
    char *message;                      /* owned, never NULL */
    char *reason;                       /* owned; ErrorInfo.reason, NULL if there is no ErrorInfo */
    char *domain;                       /* owned; ErrorInfo.domain */
    struct grpcc_status_pair *metadata; /* owned; ErrorInfo.metadata */
    size_t metadata_count;
    struct grpcc_field_violation *fields; /* owned; BadRequest */
    size_t field_count;
    struct grpcc_precondition_violation *preconditions; /* owned; PreconditionFailure */
    size_t precondition_count;
    int64_t retry_delay_ms; /* RetryInfo; negative: none */
};

/* All strings are copied; a NULL one is none (for a message: empty). Never NULL. */
struct grpcc_status *grpcc_status_new(int code, const char *message);
void grpcc_status_set_info(struct grpcc_status *status, const char *domain, const char *reason);
void grpcc_status_add_field(struct grpcc_status *status, const char *field,
                            const char *description);
void grpcc_status_add_precondition(struct grpcc_status *status, const char *type,
                                   const char *subject, const char *description);
/* Replaces the value if the key is there. */
void grpcc_status_add_metadata(struct grpcc_status *status, const char *key, const char *value);
void grpcc_status_set_retry(struct grpcc_status *status, int64_t delay_ms);

/* The value, borrowed from the status; NULL if there is no such key. */
const char *grpcc_status_metadata(const struct grpcc_status *status, const char *key);

void grpcc_status_free(struct grpcc_status *status); /* NULL is fine */

#ifndef __cplusplus
HEEL_DEFINE_AUTOFREE(grpcc_status, struct grpcc_status, grpcc_status_free);
#define grpcc_autostatus HEEL_AUTOFREE(grpcc_status)
#endif

/* The value of grpc-status-details-bin: *length bytes of google.rpc.Status, owned by the caller;
 * NULL if there are no details. */
uint8_t *grpcc_status_encode_details(const struct grpcc_status *status, size_t *length);

/* Reads details into `status`, whose code and message stay; what is malformed or unknown is left
 * out. Details of a type that isn't known are ignored. */
void grpcc_status_decode_details(struct grpcc_status *status, const uint8_t *details,
                                 size_t length);

#ifdef __cplusplus
}
#endif

#endif
