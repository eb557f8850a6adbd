#include "backends/linux/loop/lane.h"

#include <stdlib.h>

#include "base/text.h"

void heel_lane_init(struct heel_lane *lane, uv_loop_t *loop, unsigned width)
{
    *lane = (struct heel_lane){.loop = loop, .width = width, .last = &lane->first};
}

static void on_run(uv_work_t *work)
{
    struct heel_lane_work *item = heel_container_of(work, struct heel_lane_work, work);

    item->run(item);
}

static void on_done(uv_work_t *work, int status);

static void start(struct heel_lane *lane, struct heel_lane_work *item)
{
    lane->running++;
    uv_queue_work(lane->loop, &item->work, on_run, on_done);
}

static void unlink_from(struct heel_lane *lane, struct heel_lane_work **at)
{
    struct heel_lane_work *item = *at;

    *at = item->next;
    if (lane->last == &item->next)
        lane->last = at;
}

static void on_done(uv_work_t *work, int status)
{
    struct heel_lane_work *item = heel_container_of(work, struct heel_lane_work, work);
    struct heel_lane *lane = item->lane;
    struct heel_lane_work *next = lane->first;

    (void)status;
    lane->running--;
    if (next) {
        unlink_from(lane, &lane->first);
        start(lane, next);
    }
    item->done(item);
}

void heel_lane_queue(struct heel_lane *lane, struct heel_lane_work *work, heel_lane_run *run,
                     heel_lane_run *done)
{
    work->lane = lane;
    work->run = run;
    work->done = done;
    work->next = NULL;
    if (lane->running < lane->width) {
        start(lane, work);
        return;
    }
    *lane->last = work;
    lane->last = &work->next;
}

bool heel_lane_take_back(struct heel_lane_work *work)
{
    struct heel_lane *lane = work->lane;

    if (!lane)
        return false;
    for (struct heel_lane_work **at = &lane->first; *at; at = &(*at)->next)
        if (*at == work) {
            unlink_from(lane, at);
            return true;
        }
    return false;
}

struct heel_lane_of {
    struct heel_lane lane;
    uid_t uid;
    struct heel_lane_of *next;
};

void heel_lanes_init(struct heel_lanes *lanes, uv_loop_t *loop, unsigned width)
{
    *lanes = (struct heel_lanes){.loop = loop, .width = width};
}

struct heel_lane *heel_lanes_of(struct heel_lanes *lanes, uid_t uid)
{
    struct heel_lane_of *of;

    for (of = lanes->first; of; of = of->next)
        if (of->uid == uid)
            return &of->lane;
    of = heel_xcalloc(1, sizeof *of);
    heel_lane_init(&of->lane, lanes->loop, lanes->width);
    of->uid = uid;
    of->next = lanes->first;
    lanes->first = of;
    return &of->lane;
}

void heel_lanes_clear(struct heel_lanes *lanes)
{
    while (lanes->first) {
        struct heel_lane_of *of = lanes->first;

        lanes->first = of->next;
        free(of);
    }
}
