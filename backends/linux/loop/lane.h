/* A lane of libuv's thread pool: so many of its threads at most do one kind of work, and what comes
 * meanwhile waits in order. Callers, and code in their sandboxes, can make work last (a tree of a
 * million files, a thousand processes with a map each): it must not keep all threads from what
 * other callers wait for. */
#ifndef HEEL_BACKENDS_LINUX_LOOP_LANE_H
#define HEEL_BACKENDS_LINUX_LOOP_LANE_H

#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

struct heel_lane_work;

struct heel_lane {
    uv_loop_t *loop; /* borrowed */
    unsigned width;  /* threads */
    unsigned running;
    struct heel_lane_work *first; /* waiting */
    struct heel_lane_work **last;
};

/* In the pool, and afterwards on the loop; there the work may be started anew, or freed. */
typedef void heel_lane_run(struct heel_lane_work *work);

struct heel_lane_work {
    uv_work_t work;
    struct heel_lane *lane;
    struct heel_lane_work *next;
    heel_lane_run *run, *done;
};

void heel_lane_init(struct heel_lane *lane, uv_loop_t *loop, unsigned width);

/* `work` is the caller's, and stays where it is until `done`. */
void heel_lane_queue(struct heel_lane *lane, struct heel_lane_work *work, heel_lane_run *run,
                     heel_lane_run *done);

/* Takes back what waits: neither function runs. False for what a thread has begun, or is done. */
bool heel_lane_take_back(struct heel_lane_work *work);

/* A lane for each of those whose work it is, who then hold up themselves alone. */
struct heel_lanes {
    uv_loop_t *loop; /* borrowed */
    unsigned width;  /* of each */
    struct heel_lane_of *first;
};

void heel_lanes_init(struct heel_lanes *lanes, uv_loop_t *loop, unsigned width);
/* Made when it is first asked for, and there until the end. */
struct heel_lane *heel_lanes_of(struct heel_lanes *lanes, uid_t uid);
/* When none has work. */
void heel_lanes_clear(struct heel_lanes *lanes);

#endif
