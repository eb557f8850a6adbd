/* Time that only goes forward: for durations and deadlines. */
#ifndef HEEL_BASE_CLOCK_H
#define HEEL_BASE_CLOCK_H

#include <stdint.h>

/* Since some moment in the past, the same for all processes of this machine; the machine's sleep
 * does not count. */
int64_t heel_clock_us(void);
int64_t heel_clock_ms(void);

#endif
