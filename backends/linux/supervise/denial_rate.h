/* A token bucket for a sandbox's denials, from all sources together: HEEL_DENIALS_BURST at once,
 * HEEL_DENIALS_PER_SECOND in the long run. */
#ifndef HEEL_BACKENDS_LINUX_SUPERVISE_DENIAL_RATE_H
#define HEEL_BACKENDS_LINUX_SUPERVISE_DENIAL_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct heel_denial_rate {
    unsigned left;  /* tokens */
    uint64_t since; /* ms; tokens were added up to then */
};

/* `now` is the loop's time in ms. */
void heel_denial_rate_start(struct heel_denial_rate *rate, uint64_t now);

/* Takes a token. False if there is none: the denial is not reported. */
bool heel_denial_rate_take(struct heel_denial_rate *rate, uint64_t now);

#endif
