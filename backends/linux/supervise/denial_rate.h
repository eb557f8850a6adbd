/* How many of its refusals a sandbox is told of: HEEL_DENIALS_BURST at once and
 * HEEL_DENIALS_PER_SECOND in the long run, from whatever source they come. */
#ifndef HEEL_BACKENDS_LINUX_SUPERVISE_DENIAL_RATE_H
#define HEEL_BACKENDS_LINUX_SUPERVISE_DENIAL_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct heel_denial_rate {
    unsigned left;  /* that may be told before more are earned */
    uint64_t since; /* ms; earned up to then */
};

/* `now` is the loop's time in ms. */
void heel_denial_rate_start(struct heel_denial_rate *rate, uint64_t now);

/* Whether one more may be told: then it counts. */
bool heel_denial_rate_take(struct heel_denial_rate *rate, uint64_t now);

#endif
