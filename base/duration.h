/* Durations as people write them. */
#ifndef HEEL_BASE_DURATION_H
#define HEEL_BASE_DURATION_H

#include <stdint.h>

/* "500ms", "30s", "5m", "1h30m", "2d", "1.5s": one or more numbers with a unit each (ms, s, m, h,
 * d), in milliseconds, more than 0. 0 and *milliseconds, or -1 if `text` is anything else or too
 * large. */
int heel_duration_parse(const char *text, int64_t *milliseconds);

#endif
