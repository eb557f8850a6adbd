/* Lanes of the thread pool: their width, their order, and what is taken back. */
#include "backends/linux/loop/lane.h"

#include <sched.h>
#include <stdatomic.h>

#include "base/cleanup.h"
#include "base/test.h"

#define ITEMS 8

struct item {
    struct heel_lane_work work;
    int number;
};

static struct item items[ITEMS];
static atomic_int running, most;
static int order[ITEMS + 1]; /* one of another lane's, too */
static unsigned done_count;
static uv_sem_t gate;

static void run(struct heel_lane_work *work)
{
    int now = atomic_fetch_add(&running, 1) + 1;

    (void)work;
    if (now > atomic_load(&most))
        atomic_store(&most, now);
    uv_sem_wait(&gate);
    atomic_fetch_sub(&running, 1);
}

static void done(struct heel_lane_work *work)
{
    order[done_count++] = heel_container_of(work, struct item, work)->number;
}

static void queue_all(struct heel_lane *lane)
{
    done_count = 0;
    atomic_store(&most, 0);
    for (int i = 0; i < ITEMS; i++) {
        items[i] = (struct item){.number = i};
        heel_lane_queue(lane, &items[i].work, run, done);
    }
}

static void open_gate(void)
{
    for (int i = 0; i < ITEMS; i++)
        uv_sem_post(&gate);
}

static void close_gate(void)
{
    while (uv_sem_trywait(&gate) == 0)
        ;
}

static void one_at_a_time_keeps_the_order(uv_loop_t *loop)
{
    struct heel_lane lane;

    heel_lane_init(&lane, loop, 1);
    queue_all(&lane);
    open_gate();
    uv_run(loop, UV_RUN_DEFAULT);
    CHECK_INT(done_count, ITEMS);
    CHECK_INT(atomic_load(&most), 1);
    for (int i = 0; i < ITEMS; i++)
        CHECK_INT(order[i], i);
}

/* Everything in the one has to wait, and the other is done all the same. */
static void a_full_lane_holds_up_no_other(uv_loop_t *loop)
{
    static struct item other = {.number = ITEMS};
    struct heel_lane narrow, free;

    heel_lane_init(&narrow, loop, 1);
    heel_lane_init(&free, loop, 1);
    queue_all(&narrow);
    heel_lane_queue(&free, &other.work, run, done);
    while (atomic_load(&running) < 2)
        sched_yield();
    CHECK_INT(atomic_load(&most), 2);
    open_gate();
    uv_sem_post(&gate);
    uv_run(loop, UV_RUN_DEFAULT);
}

static void everybody_has_a_lane(uv_loop_t *loop)
{
    struct heel_lanes lanes;
    struct heel_lane *first, *second;

    heel_lanes_init(&lanes, loop, 1);
    first = heel_lanes_of(&lanes, 1);
    second = heel_lanes_of(&lanes, 2);
    CHECK(first != second && heel_lanes_of(&lanes, 1) == first &&
          heel_lanes_of(&lanes, 2) == second);
    queue_all(first);
    open_gate();
    uv_run(loop, UV_RUN_DEFAULT);
    CHECK_INT(done_count, ITEMS);
    CHECK_INT(atomic_load(&most), 1);
    heel_lanes_clear(&lanes);
}

static void what_waits_can_be_taken_back(uv_loop_t *loop)
{
    struct heel_lane lane;

    heel_lane_init(&lane, loop, 2);
    queue_all(&lane);
    while (atomic_load(&running) < 2)
        sched_yield();
    CHECK(!heel_lane_take_back(&items[0].work));
    CHECK(!heel_lane_take_back(&items[1].work));
    CHECK(heel_lane_take_back(&items[ITEMS - 1].work));
    CHECK(heel_lane_take_back(&items[2].work));
    CHECK(!heel_lane_take_back(&items[2].work));
    heel_lane_queue(&lane, &items[2].work, run, done);
    open_gate();
    uv_run(loop, UV_RUN_DEFAULT);
    CHECK_INT(done_count, ITEMS - 1);
    CHECK_INT(atomic_load(&most), 2);
    CHECK(!heel_lane_take_back(&items[0].work));
}

int main(void)
{
    uv_loop_t loop;

    uv_loop_init(&loop);
    uv_sem_init(&gate, 0);
    one_at_a_time_keeps_the_order(&loop);
    close_gate();
    a_full_lane_holds_up_no_other(&loop);
    close_gate();
    what_waits_can_be_taken_back(&loop);
    close_gate();
    everybody_has_a_lane(&loop);
    uv_sem_destroy(&gate);
    CHECK_INT(uv_loop_close(&loop), 0);
    return heel_test_end();
}
