/* Measures what one sandbox uses of the things that it has limits for, while anything runs in it.
 *
 * It lives on the loop's thread. What may take its time (a look at each process, a walk through the
 * working directory) is done in libuv's pool; the loop itself only asks, by one cheap system call a
 * process, whether anything has run since the last look. Only what runs can use more than before,
 * so a sandbox that waits for something costs next to nothing. */
#ifndef HEEL_BACKENDS_LINUX_LIMITS_METER_H
#define HEEL_BACKENDS_LINUX_LIMITS_METER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "backends/backend.h"
#include "backends/linux/limits/census.h"
#include "backends/linux/limits/disk_use.h"
#include "backends/linux/limits/memory_use.h"
#include "backends/linux/limits/vantage.h"
#include "backends/linux/loop/lane.h"

struct heel_meter;

/* One timer for all meters of a loop: it ticks while any meter is awake. */
struct heel_meter_clock {
    uv_timer_t timer;
    struct heel_lane looks, walks;
    struct heel_meter *awake;
};

struct heel_meter_events {
    /* The limit is exceeded: the callee kills everything in the sandbox. */
    void (*on_limit)(struct heel_meter *meter, enum heel_limit limit);
    /* After heel_meter_close(): the memory of the meter may be freed. */
    void (*on_closed)(struct heel_meter *meter);
    /* How many of its processes are heel's own, and count for no limit; may be NULL. */
    unsigned (*count_helpers)(const struct heel_meter *meter);
};

struct heel_meter {
    struct heel_meter_clock *clock; /* borrowed */
    const struct heel_meter_events *events;
    struct heel_limits limits;
    struct heel_vantage vantage; /* owned */
    int cgroup;                  /* borrowed; -1: there is none, all is measured */
    int work_dir;                /* owned; -1: nothing on disk is measured */
    struct heel_meter *next;     /* among those awake */
    bool open;
    bool closing;
    bool awake;
    bool expecting;  /* something was started since the last look */
    bool cpu_spent;  /* nothing may be started any more */
    bool looking;    /* `look` is in the pool, or waits for it */
    bool walking;    /* `walk` is */
    bool ran;        /* something ran since the last walk */
    bool walked;     /* and that is still to be judged */
    bool unsettled;  /* the last walk stopped at the limit: the next counts everything */
    uint64_t due_ms; /* the next look */
    uint64_t walk_due_ms;
    uint64_t fired_ms; /* when on_limit was last run; 0: never */
    pid_t *doomed;     /* owned; the processes that on_limit was to kill, sorted */
    size_t doomed_count;
    struct heel_lane_work look;
    struct heel_lane_work walk;
    /* a look's */
    struct heel_census census;
    struct heel_memory_watch memory_watch;
    struct heel_memory_use memory;
    uint64_t kernel_kills; /* processes that the kernel has killed for memory */
    uint64_t kernel_kills_told;
    bool memory_is_exact;
    bool memory_is_sure; /* it can't be more than `memory` */
    bool thorough;       /* the look measures exactly, whatever the bound */
    bool memory_grace;
    uint64_t grace_bytes; /* the limit while memory_grace is set */
    uint64_t cpu_us;
    uint64_t look_us; /* how long the look took */
    int look_result;
    /* a walk's */
    struct heel_disk_use disk;
    struct heel_disk_use disk_most;
    uint64_t walk_ms;
};

void heel_meter_clock_init(struct heel_meter_clock *clock, uv_loop_t *loop);
void heel_meter_clock_close(struct heel_meter_clock *clock, uv_close_cb on_closed);

/* Where the sandbox can be measured from. */
struct heel_meter_view {
    struct heel_vantage vantage;
    int cgroup;           /* its own cgroup's directory; -1: it has none */
    const char *work_dir; /* the host's path of its own working directory, or NULL */
};

/* Takes the vantage over, and borrows the cgroup until it is closed. */
void heel_meter_open(struct heel_meter *meter, struct heel_meter_clock *clock,
                     const struct heel_limits *limits, const struct heel_meter_view *view,
                     const struct heel_meter_events *events);

/* Something is about to be started. Nothing for a meter that was never opened. */
void heel_meter_wake(struct heel_meter *meter);

/* A process was killed, and not by heeld: runs on_limit if the kernel did it for want of memory. */
void heel_meter_check_kill(struct heel_meter *meter);

/* Whether processor time is left, if it is limited. */
static inline bool heel_meter_allows_start(const struct heel_meter *meter)
{
    return !meter->cpu_spent;
}

/* True if the meter's memory may be freed at once; else when on_closed has run. Call it once; one
 * that was never opened is fine. */
bool heel_meter_close(struct heel_meter *meter);

#endif
