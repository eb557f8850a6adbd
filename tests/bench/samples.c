#include "tests/bench/samples.h"

#include <errno.h>
#include <time.h>

#include "base/text.h"

double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

void sleep_ms(double milliseconds)
{
    struct timespec left = {
        .tv_sec = (time_t)(milliseconds / 1e3),
        .tv_nsec = (long)(milliseconds * 1e6) % 1000000000L,
    };

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

void samples_add(struct samples *samples, double value)
{
    if (samples->count == samples->capacity) {
        samples->capacity = samples->capacity * 2 + 256;
        samples->values = heel_xrealloc(samples->values, samples->capacity, sizeof(double));
    }
    samples->values[samples->count++] = value;
}

void samples_append(struct samples *samples, const struct samples *more)
{
    for (size_t i = 0; i < more->count; i++)
        samples_add(samples, more->values[i]);
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

/* The nearest rank. */
static double percentile(const struct samples *samples, size_t percent)
{
    size_t rank = (samples->count * percent + 99) / 100;

    return samples->values[rank > 0 ? rank - 1 : 0];
}

struct spread samples_spread(struct samples *samples)
{
    if (samples->count == 0)
        return (struct spread){0};
    qsort(samples->values, samples->count, sizeof(double), compare);
    return (struct spread){samples->count, percentile(samples, 50), percentile(samples, 99)};
}

void samples_free(struct samples *samples)
{
    free(samples->values);
    *samples = (struct samples){0};
}
