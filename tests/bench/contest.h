/* Things that are compared by doing them in turn, so that whatever else happens on the machine
 * happens to all of them: A B C A B C … */
#ifndef HEEL_TESTS_BENCH_CONTEST_H
#define HEEL_TESTS_BENCH_CONTEST_H

#include <stdbool.h>

#include "base/error.h"
#include "tests/bench/samples.h"

struct contestant {
    const char *name; /* static */
    int (*once)(void *data, struct heel_error **err);
    void *data;
    struct samples samples; /* milliseconds; freed by contest_clear */
};

/* `warm_up` rounds that don't count, then `rounds` that do. */
int contest_run(struct contestant *contestants, size_t count, size_t rounds, size_t warm_up,
                struct heel_error **err);
void contest_clear(struct contestant *contestants, size_t count);

#endif
