/* The limits of a sandbox: what a client asks for, what a backend holds, and what is said when one
 * was reached. */
#ifndef HEEL_SERVER_SPEC_LIMITS_H
#define HEEL_SERVER_SPEC_LIMITS_H

#include "backends/backend.h"
#include "base/error.h"
#include "heel/v1/sandbox.pb-c.h"

/* limits.max_output_bytes where the spec doesn't say, and at most: an answer holds two of them and
 * stays under 1 MiB. */
#define SPEC_DEFAULT_OUTPUT_BYTES 262144
#define SPEC_MAX_OUTPUT_BYTES 491520

/* Checks those that a backend holds, in the spec at `at`. 0, or -1 and *err naming the field. */
int spec_limits_check(const Heel__V1__Limits *limits, const char *at, struct heel_error **err);

/* Spells out what follows from what is set. */
void spec_limits_complete(Heel__V1__Limits *limits);

/* The backend's view of limits that were checked. */
struct heel_limits spec_limits_for_backend(const Heel__V1__Limits *limits);

/* What the contract calls a limit, why a command that it ended is over, and a sentence about it
 * (the caller's). `limits` are those of the command's sandbox. */
Heel__V1__Limit spec_limits_name(enum heel_limit limit);
Heel__V1__ExitReason spec_limits_reason(enum heel_limit limit);
char *spec_limits_message(enum heel_limit limit, const Heel__V1__Limits *limits);

#endif
