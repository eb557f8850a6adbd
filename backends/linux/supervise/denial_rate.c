#include "backends/linux/supervise/denial_rate.h"

#include "backends/backend.h"

void heel_denial_rate_start(struct heel_denial_rate *rate, uint64_t now)
{
    *rate = (struct heel_denial_rate){HEEL_DENIALS_BURST, now};
}

bool heel_denial_rate_take(struct heel_denial_rate *rate, uint64_t now)
{
    uint64_t earned = (now - rate->since) * HEEL_DENIALS_PER_SECOND / 1000;

    if (earned > 0) {
        rate->since = now;
        earned += rate->left;
        rate->left = earned > HEEL_DENIALS_BURST ? HEEL_DENIALS_BURST : (unsigned)earned;
    }
    if (rate->left == 0)
        return false;
    rate->left--;
    return true;
}
