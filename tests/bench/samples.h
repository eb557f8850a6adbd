/* Durations, and what their distribution was. */
#ifndef HEEL_TESTS_BENCH_SAMPLES_H
#define HEEL_TESTS_BENCH_SAMPLES_H

#include <stddef.h>

#include "base/cleanup.h"

/* Milliseconds since some point in the past, from a clock that nobody sets. */
double now_ms(void);

/* Waits, whatever signals come. */
void sleep_ms(double milliseconds);

/* Zero-initialised is empty. */
struct samples {
    double *values; /* owned */
    size_t count;
    size_t capacity;
};

/* Of `count` samples, in their unit; all 0 without samples. */
struct spread {
    size_t count;
    double p50;
    double p99;
};

void samples_add(struct samples *samples, double value);
void samples_append(struct samples *samples, const struct samples *more);

/* Sorts the samples. */
struct spread samples_spread(struct samples *samples);

void samples_free(struct samples *samples);
static inline void heel_cleanup_samples(struct samples *samples)
{
    samples_free(samples);
}
#define autosamples __attribute__((cleanup(heel_cleanup_samples)))

#endif
