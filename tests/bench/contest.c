#include "tests/bench/contest.h"

static int run_round(struct contestant *contestants, size_t count, bool counts,
                     struct heel_error **err)
{
    for (size_t i = 0; i < count; i++) {
        double begin = now_ms();

        if (contestants[i].once(contestants[i].data, err) < 0)
            return heel_error_wrap(err, "%s", contestants[i].name);
        if (counts)
            samples_add(&contestants[i].samples, now_ms() - begin);
    }
    return 0;
}

int contest_run(struct contestant *contestants, size_t count, size_t rounds, size_t warm_up,
                struct heel_error **err)
{
    for (size_t round = 0; round < warm_up + rounds; round++)
        if (run_round(contestants, count, round >= warm_up, err) < 0)
            return -1;
    return 0;
}

void contest_clear(struct contestant *contestants, size_t count)
{
    for (size_t i = 0; i < count; i++)
        samples_free(&contestants[i].samples);
}
