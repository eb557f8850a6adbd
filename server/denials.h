/* What a sandbox refused to one command and to what it started, up to a bound. */
#ifndef HEEL_SERVER_DENIALS_H
#define HEEL_SERVER_DENIALS_H

#include <stdbool.h>
#include <stddef.h>

#include "backends/backend.h"
#include "heel/v1/process.pb-c.h"

#define DENIALS_MAX 64

/* Zeroed is empty. */
struct denials {
    Heel__V1__Denial **items; /* owned */
    size_t count;
    bool truncated;
};

/* One that is there already is not kept twice. */
void denials_add(struct denials *denials, const struct heel_denial *denial);
void denials_clear(struct denials *denials);

/* New messages, `count` of them; NULL for none. */
Heel__V1__Denial **denials_describe(const struct denials *denials);
Heel__V1__Denial *denials_new_message(const struct heel_denial *denial);

#endif
