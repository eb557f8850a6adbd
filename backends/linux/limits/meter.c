#include "backends/linux/limits/meter.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/linux/limits/cgroup.h"
#include "backends/linux/limits/limits.h"
#include "backends/linux/limits/open_files.h"
#include "base/text.h"

#define TICK_MS 5       /* while something runs */
#define IDLE_TICK_MS 40 /* while everything waits */
#define LOOKS_WIDTH 2   /* threads of the pool */
#define WALKS_WIDTH 1
#define LOOK_MS_MIN 5          /* between two looks */
#define LOOK_MS_MAX 40         /* however long one takes */
#define LOOK_SHARE 10          /* looks may take one part in this many of the time */
#define BYTES_PER_MS (8 << 20) /* memory can't be written faster than this */
#define WALK_MS_MIN 100        /* between two walks */
#define WALK_SHARE 10
#define STALE_CHECK_MAX 128 /* processes that the loop's thread asks about */
#define FIRE_AGAIN_MS 100   /* thousands of killed processes take their time to die */
#define SETTLE_MS_MAX 5000  /* a killed process that is in the kernel dies on its way out */

static void tick(uv_timer_t *timer);

/* ---- the clock ---- */

void heel_meter_clock_init(struct heel_meter_clock *clock, uv_loop_t *loop)
{
    uv_timer_init(loop, &clock->timer); /* always succeeds */
    heel_lane_init(&clock->looks, loop, LOOKS_WIDTH);
    heel_lane_init(&clock->walks, loop, WALKS_WIDTH);
    clock->awake = NULL;
}

void heel_meter_clock_close(struct heel_meter_clock *clock, uv_close_cb on_closed)
{
    uv_close((uv_handle_t *)&clock->timer, on_closed);
}

static uint64_t now_ms(const struct heel_meter *meter)
{
    return uv_now(meter->clock->timer.loop);
}

static void start_clock(struct heel_meter_clock *clock, uint64_t milliseconds)
{
    uv_timer_start(&clock->timer, tick, milliseconds, 0);
}

static void fall_asleep(struct heel_meter *meter)
{
    struct heel_meter **at = &meter->clock->awake;

    if (!meter->awake)
        return;
    while (*at != meter)
        at = &(*at)->next;
    *at = meter->next;
    meter->awake = false;
}

/* ---- too much ---- */

static void note_doomed(struct heel_meter *meter)
{
    const struct heel_census *census = &meter->census;

    meter->doomed = heel_xrealloc(meter->doomed, census->count + 1, sizeof *meter->doomed);
    meter->doomed_count = 0;
    for (size_t i = 0; i < census->count; i++)
        if (census->processes[i].living)
            meter->doomed[meter->doomed_count++] = census->processes[i].pid;
}

static void fire(struct heel_meter *meter, enum heel_limit limit)
{
    note_doomed(meter);
    meter->fired_ms = now_ms(meter);
    meter->expecting = true; /* they die; see that they did */
    meter->events->on_limit(meter, limit);
}

/* Whether any process that the last on_limit was to kill is still alive. Both lists are sorted by
 * pid. */
static bool doomed_are_left(const struct heel_meter *meter)
{
    const struct heel_census *census = &meter->census;
    size_t at = 0;

    for (size_t i = 0; i < meter->doomed_count; i++) {
        while (at < census->count && census->processes[at].pid < meter->doomed[i])
            at++;
        if (at < census->count && census->processes[at].pid == meter->doomed[i] &&
            census->processes[at].living)
            return true;
    }
    return false;
}

/* Processes that are being killed take a while to free what they had, and a command that was
 * started since must not be killed for it. */
static bool is_settling(const struct heel_meter *meter)
{
    uint64_t passed = now_ms(meter) - meter->fired_ms;

    if (meter->fired_ms == 0)
        return false;
    return passed < FIRE_AGAIN_MS || (passed < SETTLE_MS_MAX && doomed_are_left(meter));
}

/* Whether the kernel has killed more since this was last asked. */
static bool kernel_has_killed(struct heel_meter *meter, uint64_t kills)
{
    bool has = kills > meter->kernel_kills_told;

    if (has)
        meter->kernel_kills_told = kills;
    return has;
}

/* The limit for a while, if what lasts is near or beyond it: a quarter of the limit is left for a
 * command that removes files; never more than twice the limit in all. */
static uint64_t grace_for(uint64_t limit, uint64_t lasting)
{
    uint64_t bytes = (lasting > limit ? lasting : limit) + limit / 4;

    return bytes < 2 * limit ? bytes : 2 * limit;
}

/* Files in memory stay when the processes are gone. Where they take most of the limit no command
 * could run any more, not even one that removes them: so there is a grace. */
static bool memory_is_over(struct heel_meter *meter)
{
    uint64_t limit = meter->limits.memory_bytes;
    bool over;

    if (!meter->memory_is_exact || limit == 0)
        return false;
    if (meter->memory.lasting <= limit / 4 * 3)
        meter->memory_grace = false;
    over = meter->memory.bytes > (meter->memory_grace ? meter->grace_bytes : limit);
    if (over && !meter->memory_grace && meter->memory.lasting > limit / 4 * 3) {
        meter->memory_grace = true;
        meter->grace_bytes = grace_for(limit, meter->memory.lasting);
    }
    return over && meter->census.living > 0;
}

static size_t count_living(const struct heel_meter *meter)
{
    size_t helpers = meter->events->count_helpers ? meter->events->count_helpers(meter) : 0;

    return meter->census.living > helpers ? meter->census.living - helpers : 0;
}

static enum heel_limit limit_reached(struct heel_meter *meter)
{
    const struct heel_limits *limits = &meter->limits;

    if (meter->cgroup < 0 && memory_is_over(meter))
        return HEEL_LIMIT_MEMORY;
    if (limits->max_processes > 0 && count_living(meter) > limits->max_processes)
        return HEEL_LIMIT_PROCESSES;
    if (limits->cpu_time_us > 0 && meter->cpu_us > (uint64_t)limits->cpu_time_us)
        return HEEL_LIMIT_CPU_TIME;
    return HEEL_LIMIT_NONE;
}

/* A kill by the kernel counts even if no process is left: heeld has yet to hear of the exit and
 * asks then for the reason. */
static void judge_look(struct heel_meter *meter)
{
    enum heel_limit limit = limit_reached(meter);

    meter->cpu_spent = meter->cpu_spent || limit == HEEL_LIMIT_CPU_TIME;
    if (kernel_has_killed(meter, meter->kernel_kills))
        fire(meter, HEEL_LIMIT_MEMORY);
    else if (limit != HEEL_LIMIT_NONE && meter->census.living > 0 && !is_settling(meter))
        fire(meter, limit);
}

/* The next walk comes soon: what a new command writes before it is taken for the old ones'. */
static void walk_again(struct heel_meter *meter)
{
    meter->unsettled = true;
    meter->ran = true;
    meter->walk_due_ms = now_ms(meter) + TICK_MS;
}

/* What is there when it is said to be too much, and whoever wrote it is dead, stays there, and may
 * be removed; more of it is too much again. */
static void judge_walk(struct heel_meter *meter)
{
    const struct heel_limits *limits = &meter->limits;
    enum heel_limit limit = HEEL_LIMIT_NONE;

    meter->walked = false;
    if (meter->unsettled) {
        if (doomed_are_left(meter) && now_ms(meter) - meter->fired_ms < SETTLE_MS_MAX) {
            walk_again(meter);
            return;
        }
        meter->unsettled = false;
    } else if (meter->disk.bytes > meter->disk_most.bytes) {
        limit = HEEL_LIMIT_DISK_BYTES;
    } else if (meter->disk.inodes > meter->disk_most.inodes) {
        limit = HEEL_LIMIT_DISK_INODES;
    }
    if (limit != HEEL_LIMIT_NONE) {
        fire(meter, limit);
        walk_again(meter);
        return;
    }
    meter->disk_most.bytes = limits->disk_bytes ? limits->disk_bytes : UINT64_MAX;
    meter->disk_most.inodes = limits->disk_inodes ? limits->disk_inodes : UINT64_MAX;
    if (meter->disk.bytes > meter->disk_most.bytes)
        meter->disk_most.bytes = meter->disk.bytes;
    if (meter->disk.inodes > meter->disk_most.inodes && meter->disk.inodes != UINT64_MAX)
        meter->disk_most.inodes = meter->disk.inodes;
}

/* ---- a look ---- */

/* The kernel holds this limit by killing one process; the meter has the rest of the sandbox killed.
 * Files in memory count as shared memory. */
static void read_group_memory(struct heel_meter *meter)
{
    uint64_t limit = meter->limits.memory_bytes;
    uint64_t kills = heel_cgroup_read(meter->cgroup, "memory.events", "oom_kill");
    bool over = kills > meter->kernel_kills;
    bool grace = meter->memory_grace;

    meter->kernel_kills = kills;
    if (!over && !grace)
        return;
    meter->memory.lasting = heel_cgroup_read(meter->cgroup, "memory.stat", "shmem");
    meter->memory_grace = meter->memory.lasting > limit / 4 * 3;
    if (meter->memory_grace != grace)
        heel_cgroup_set_memory(meter->cgroup, limit + (meter->memory_grace ? limit / 4 : 0));
}

/* While processes end, the pages that they share with others can be counted twice: in full where
 * the last sharer was read after the end, in part where one was read before. What looks like too
 * much is measured once more. */
static void measure_memory(struct heel_meter *meter)
{
    struct heel_memory_use again;

    heel_memory_measure(&meter->vantage, &meter->census, &meter->memory_watch, &meter->memory);
    meter->memory_is_exact = meter->memory_is_sure = true;
    if (meter->memory.bytes <= meter->limits.memory_bytes ||
        heel_census_take(&meter->vantage, &meter->census))
        return;
    heel_memory_measure(&meter->vantage, &meter->census, &meter->memory_watch, &again);
    if (again.bytes < meter->memory.bytes)
        meter->memory = again;
}

static void look_in_pool(struct heel_lane_work *work)
{
    struct heel_meter *meter = heel_container_of(work, struct heel_meter, look);
    const struct heel_limits *limits = &meter->limits;
    uint64_t began_ns = uv_hrtime();

    meter->look_result = heel_census_take(&meter->vantage, &meter->census);
    meter->memory_is_exact = false;
    if (limits->memory_bytes > 0 && meter->cgroup >= 0) {
        read_group_memory(meter);
    } else if (limits->memory_bytes > 0) {
        meter->memory.bytes =
            heel_memory_bound(&meter->census, &meter->memory_watch, &meter->memory_is_sure);
        if (meter->thorough || meter->memory.bytes > limits->memory_bytes)
            measure_memory(meter);
    }
    if (limits->cpu_time_us > 0 && meter->cgroup >= 0)
        meter->cpu_us = heel_cgroup_read(meter->cgroup, "cpu.stat", "usage_usec");
    else if (limits->cpu_time_us > 0)
        meter->cpu_us = heel_census_cpu_us(&meter->vantage, &meter->census);
    meter->look_us = (uv_hrtime() - began_ns) / 1000;
}

static uint64_t between(uint64_t least, uint64_t value, uint64_t most)
{
    return value < least ? least : value > most ? most : value;
}

/* The nearer the limit, the sooner; but no more often than LOOK_SHARE allows. */
static uint64_t look_interval_ms(const struct heel_meter *meter)
{
    uint64_t limit = meter->limits.memory_bytes;
    uint64_t left = limit > meter->memory.bytes ? limit - meter->memory.bytes : 0;
    uint64_t wanted = limit > 0 ? left / BYTES_PER_MS : LOOK_MS_MAX / 2;
    uint64_t affordable = meter->look_us * LOOK_SHARE / 1000;
    uint64_t took = meter->look_us / 1000;

    if (meter->limits.max_processes > 0)
        wanted = LOOK_MS_MIN;
    wanted = between(LOOK_MS_MIN, wanted > affordable ? wanted : affordable, LOOK_MS_MAX);
    /* The other sandboxes' looks need the threads, too. */
    return wanted > took ? wanted : took;
}

static void closed(struct heel_meter *meter)
{
    heel_census_clear(&meter->census);
    free(heel_steal(meter->doomed));
    heel_vantage_close(&meter->vantage);
    if (meter->work_dir >= 0)
        close(heel_steal_fd(&meter->work_dir));
    meter->open = false;
}

static bool end_if_closing(struct heel_meter *meter)
{
    if (!meter->closing)
        return false;
    if (!meter->looking && !meter->walking) {
        closed(meter);
        meter->events->on_closed(meter);
    }
    return true;
}

static void on_looked(struct heel_lane_work *work)
{
    struct heel_meter *meter = heel_container_of(work, struct heel_meter, look);

    meter->looking = false;
    if (end_if_closing(meter))
        return;
    if (meter->look_result == 0) {
        meter->due_ms = now_ms(meter) + look_interval_ms(meter);
        judge_look(meter);
    }
    if (meter->walked)
        judge_walk(meter);
}

/* ---- a walk ---- */

/* Deleted files that are open have space and no name. */
static uint64_t nameless_bytes(const struct heel_meter *meter, const struct stat *work_dir)
{
    struct heel_open_files open = {0};
    struct heel_census census = {0};
    uint64_t total = 0;

    if (heel_census_take(&meter->vantage, &census) == 0)
        for (size_t i = 0; i < census.count; i++)
            heel_open_files_add(&meter->vantage, &census.processes[i], &open);
    for (size_t i = 0; i < open.capacity; i++)
        if (open.items[i].inode != 0 && open.items[i].links == 0 &&
            open.items[i].device == work_dir->st_dev)
            total += open.items[i].bytes;
    heel_census_clear(&census);
    heel_open_files_clear(&open);
    return total;
}

static void walk_in_pool(struct heel_lane_work *work)
{
    static const struct heel_disk_use everything = {UINT64_MAX, UINT64_MAX};
    struct heel_meter *meter = heel_container_of(work, struct heel_meter, walk);
    uint64_t began_ns = uv_hrtime();
    struct stat status;

    heel_disk_use_measure(meter->work_dir, meter->unsettled ? &everything : &meter->disk_most,
                          &meter->disk);
    if (fstat(meter->work_dir, &status) == 0)
        meter->disk.bytes += nameless_bytes(meter, &status);
    meter->walk_ms = (uv_hrtime() - began_ns) / 1000000;
}

static void on_walked(struct heel_lane_work *work)
{
    struct heel_meter *meter = heel_container_of(work, struct heel_meter, walk);

    meter->walking = false;
    if (end_if_closing(meter))
        return;
    meter->walk_due_ms = now_ms(meter) + WALK_MS_MIN + meter->walk_ms * WALK_SHARE;
    meter->walked = true;
    if (!meter->looking) /* the look's thread is making the census */
        judge_walk(meter);
}

/* ---- turn by turn ---- */

/* Nothing that the last look saw has run since, and nothing was started. */
static bool is_quiet(const struct heel_meter *meter)
{
    return !meter->expecting && meter->census.count <= STALE_CHECK_MAX &&
           !heel_census_stale(&meter->census);
}

static void walk_if_due(struct heel_meter *meter)
{
    if (meter->work_dir < 0 || meter->walking || meter->walked || !meter->ran ||
        now_ms(meter) < meter->walk_due_ms)
        return;
    meter->walking = true;
    meter->ran = false;
    heel_lane_queue(&meter->clock->walks, &meter->walk, walk_in_pool, on_walked);
}

/* Whether it is busy. Before it rests because nothing moves, the memory is known for sure. */
static bool turn(struct heel_meter *meter)
{
    bool quiet;

    walk_if_due(meter);
    if (meter->looking || now_ms(meter) < meter->due_ms)
        return true;
    quiet = is_quiet(meter);
    if (quiet && meter->memory_is_sure) {
        if (meter->census.count == 0 && !meter->ran && !meter->walking)
            fall_asleep(meter);
        return meter->ran || meter->walking;
    }
    meter->thorough = quiet;
    meter->looking = true;
    meter->ran = true;
    meter->expecting = false;
    heel_lane_queue(&meter->clock->looks, &meter->look, look_in_pool, on_looked);
    return true;
}

static void tick(uv_timer_t *timer)
{
    struct heel_meter_clock *clock = heel_container_of(timer, struct heel_meter_clock, timer);
    bool busy = false;

    for (struct heel_meter *meter = clock->awake, *next; meter; meter = next) {
        next = meter->next;
        busy |= turn(meter);
    }
    if (clock->awake)
        start_clock(clock, busy ? TICK_MS : IDLE_TICK_MS);
}

void heel_meter_open(struct heel_meter *meter, struct heel_meter_clock *clock,
                     const struct heel_limits *limits, const struct heel_meter_view *view,
                     const struct heel_meter_events *events)
{
    *meter = (struct heel_meter){
        .clock = clock,
        .events = events,
        .limits = *limits,
        .vantage = view->vantage,
        .cgroup = view->cgroup,
        .work_dir = -1,
        .open = true,
        .memory_is_sure = true,
        .disk_most = {limits->disk_bytes ? limits->disk_bytes : UINT64_MAX,
                      limits->disk_inodes ? limits->disk_inodes : UINT64_MAX},
    };
    if (view->work_dir && heel_limits_measure_disk(limits))
        meter->work_dir = open(view->work_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void heel_meter_wake(struct heel_meter *meter)
{
    if (!meter->open || meter->closing)
        return;
    meter->expecting = true;
    meter->due_ms = now_ms(meter) + LOOK_MS_MIN;
    if (!meter->awake) {
        meter->next = meter->clock->awake;
        meter->clock->awake = meter;
        meter->awake = true;
    }
    start_clock(meter->clock, TICK_MS);
}

void heel_meter_check_kill(struct heel_meter *meter)
{
    if (!meter->open || meter->closing || meter->cgroup < 0 || meter->limits.memory_bytes == 0)
        return;
    if (kernel_has_killed(meter, heel_cgroup_read(meter->cgroup, "memory.events", "oom_kill")))
        fire(meter, HEEL_LIMIT_MEMORY);
}

bool heel_meter_close(struct heel_meter *meter)
{
    if (!meter->open)
        return true;
    fall_asleep(meter);
    meter->closing = true;
    if (meter->looking && heel_lane_take_back(&meter->look))
        meter->looking = false;
    if (meter->walking && heel_lane_take_back(&meter->walk))
        meter->walking = false;
    if (meter->looking || meter->walking)
        return false;
    closed(meter);
    return true;
}
