#include "backends/linux/supervise/denial_rate.h"

#include "backends/backend.h"
#include "base/test.h"

static unsigned take_all(struct heel_denial_rate *rate, uint64_t now)
{
    unsigned count = 0;

    while (count <= HEEL_DENIALS_BURST && heel_denial_rate_take(rate, now))
        count++;
    return count;
}

int main(void)
{
    struct heel_denial_rate rate;
    unsigned told = 0;

    heel_denial_rate_start(&rate, 5000);
    CHECK_INT(take_all(&rate, 5000), HEEL_DENIALS_BURST);
    CHECK_INT(take_all(&rate, 5001), 0);
    CHECK_INT(take_all(&rate, 6001), HEEL_DENIALS_PER_SECOND);
    CHECK_INT(take_all(&rate, 6000000), HEEL_DENIALS_BURST);
    for (uint64_t now = 6000000; now <= 6010000; now += 500)
        told += take_all(&rate, now);
    CHECK_INT(told, 10 * HEEL_DENIALS_PER_SECOND);
    return heel_test_end();
}
