/* Timers that wake the machine from its sleep. */
#include "tests/confinement/probes/probe.h"

#include <sys/timerfd.h>
#include <time.h>

int main(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    timer_t timer;

    probe_fd("timerfd, real time", timerfd_create(CLOCK_REALTIME_ALARM, 0));
    probe_fd("timerfd, since boot", timerfd_create(CLOCK_BOOTTIME_ALARM, 0));
    if (timer_create(CLOCK_REALTIME_ALARM, &event, &timer) != 0 && errno == EOPNOTSUPP)
        probe_absent("timer", "this machine has no clock that could");
    else
        probe_permission("timer", timer_create(CLOCK_REALTIME_ALARM, &event, &timer));
    return probe_end();
}
