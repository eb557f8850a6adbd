/* Where the plain structs of heel and the messages of heel.v1 meet. */
#ifndef HEEL_SERVER_EDGE_H
#define HEEL_SERVER_EDGE_H

#include <stdint.h>
#include <uv.h>

#include "backends/backend.h"
#include "base/error.h"
#include "heel/v1/sandbox.pb-c.h"
#include "proto/runtime/status.h"

/* ErrorInfo.domain of every error of heel.v1. */
#define HEEL_ERROR_DOMAIN "heel.v1"

/* Metadata and advice of LIMIT_REACHED where heeld has no file descriptor left. */
#define EDGE_OPEN_FILES "RLIMIT_NOFILE"
#define EDGE_RAISE_OPEN_FILES \
    "raise heeld's limit of open files (RLIMIT_NOFILE: ulimit -n, LimitNOFILE=), or end " \
    "processes " \
    "and sandboxes"

/* The status that a caller gets for an error, details included. Never NULL; the caller of this
 * function owns it. */
struct grpcc_status *edge_status(const struct heel_error *error);

/* A duration that must be positive and at most 10,000 years, in milliseconds rounded up, into
 * *milliseconds. An absent one leaves it as it is. 0, or -1 and *err naming `field`. */
int edge_duration_ms(const Google__Protobuf__Duration *duration, const char *field,
                     int64_t *milliseconds, struct heel_error **err);

/* New messages, for free_unpacked of what they are put into. */
Google__Protobuf__Duration *edge_new_duration_us(int64_t microseconds);
Google__Protobuf__Timestamp *edge_new_timestamp_ms(int64_t milliseconds_since_epoch);

/* The same number of messages as there are protections. */
Heel__V1__Enforcement **edge_new_enforcement(const struct heel_enforcement *enforcement);

void edge_free_enforcement(Heel__V1__Enforcement **messages);

/* What a sandbox left behind, as much as an answer has room for; NULL if there is nothing to say.
 */
Heel__V1__ActingFiles *edge_new_acting_files(const struct heel_sandbox_end *end);
void edge_free_acting_files(Heel__V1__ActingFiles *message); /* NULL is fine */

/* The message's was checked. */
enum heel_protection edge_backend_protection(Heel__V1__Protection protection);

/* The groups of protected paths; the message's was checked. */
Heel__V1__ProtectedGroup edge_protected_group(enum heel_protected_group group);
enum heel_protected_group edge_backend_group(Heel__V1__ProtectedGroup group);

/* `reason` is why we ended it, UNSPECIFIED if we didn't; `limit_message` says what is to be said of
 * exit->limit, and may be NULL where there is none. */
Heel__V1__ExitStatus *edge_new_exit_status(const struct heel_exit *exit,
                                           Heel__V1__ExitReason reason, const char *program,
                                           const char *limit_message);
Heel__V1__ResourceUsage *edge_new_usage(const struct heel_exit *exit);

Heel__V1__PauseMechanism edge_pause_mechanism(enum heel_pause_mechanism mechanism);

#endif
