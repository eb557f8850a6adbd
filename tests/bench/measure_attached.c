/* Thousands of commands that do nothing, each with a client's stream attached, all over one
 * connection: what they cost, and whether a command beside them is as quick as before. */
#include <string.h>

#include "base/text.h"
#include "tests/bench/bench.h"
#include "tests/bench/exec_stream.h"
#include "tests/bench/procfs.h"

#define FULL_COUNT 10000
#define QUICK_COUNT 200
#define SANDBOXES 10
#define SETTLE_MS 1000
#define BESIDE_ROUNDS 200
#define OTHER_DESCRIPTORS 200 /* of heeld */

enum { ATTACHED, RSS, INITS, LAUNCHER, START, IDLE_CPU, BESIDE };

struct hall {
    struct daemon *daemon;
    struct grpcc_channel *channel;
    struct grpcc_queue *queue;    /* owned; of all streams */
    char *sandboxes[SANDBOXES];   /* owned */
    struct exec_stream **streams; /* owned, and so is each */
    size_t wanted;
    size_t count;
    bool keep_stdin; /* else the commands' is at its end, which saves heeld a descriptor each */
    struct samples starts; /* milliseconds */
};

/* In KiB; what heel's own processes hold. */
struct holdings {
    double heeld;
    double launcher;
    double inits;
};

static struct holdings take_stock(const struct hall *hall)
{
    pid_t launcher = procfs_first_child(hall->daemon->pid);

    return (struct holdings){
        .heeld = procfs_memory_of(hall->daemon->pid).rss,
        .launcher = procfs_memory_of(launcher).pss,
        .inits = procfs_memory_of_children(launcher).pss,
    };
}

/* ---- filling ---- */

static int attach_one(struct hall *hall, struct heel_error **err)
{
    static const char *const argv[] = {"sleep", "infinity"};
    const struct exec_command command = {
        .sandbox_id = hall->sandboxes[hall->count % SANDBOXES],
        .argv = argv,
        .count = 2,
        .keep_stdin = hall->keep_stdin,
    };
    double begin = now_ms();
    struct exec_stream *exec = exec_stream_open(hall->channel, hall->queue, &command);

    if (exec_stream_start(exec, err) < 0) {
        exec_stream_free(exec);
        return -1;
    }
    samples_add(&hall->starts, now_ms() - begin);
    exec_stream_want(exec, UINT64_MAX);
    hall->streams[hall->count++] = exec;
    return 0;
}

/* What stops it short of all is told in the table. */
static char *attach_all(struct hall *hall)
{
    heel_autoerror struct heel_error *error = NULL;

    while (hall->count < hall->wanted)
        if (attach_one(hall, &error) < 0)
            return heel_xstrdup(error->message);
    return heel_format("over one connection, in %d sandboxes%s", SANDBOXES,
                       hall->keep_stdin ? "" : "; heeld may have too few descriptors for stdin");
}

static int make_sandboxes(struct hall *hall, struct heel_error **err)
{
    for (size_t i = 0; i < SANDBOXES; i++)
        if (client_create(hall->channel, &hall->sandboxes[i], err) < 0)
            return -1;
    return 0;
}

/* ---- what is measured ---- */

static int run_beside(const struct hall *hall, struct samples *took, struct heel_error **err)
{
    for (size_t i = 0; i < BESIDE_ROUNDS; i++) {
        double begin = now_ms();

        if (client_run(hall->channel, hall->sandboxes[0], err) < 0)
            return -1;
        samples_add(took, now_ms() - begin);
    }
    return 0;
}

static double idle_cpu_percent(const struct bench *bench, const struct hall *hall)
{
    double duration = bench->quick ? 1000 : 10000, before = procfs_cpu_ms(hall->daemon->pid);

    sleep_ms(duration);
    return (procfs_cpu_ms(hall->daemon->pid) - before) / duration * 100;
}

static void add_memory(struct bench *bench, const struct measurement *self, const struct hall *hall,
                       const struct holdings *before)
{
    struct holdings after = take_stock(hall);
    double count = (double)hall->count;

    bench_add_value(bench, self, RSS, (after.heeld - before->heeld) / count, NULL);
    bench_add_value(bench, self, INITS, (after.inits - before->inits) / count, NULL);
    bench_add_value(bench, self, LAUNCHER, (after.launcher - before->launcher) / count, NULL);
}

static int add_beside(struct bench *bench, const struct measurement *self, const struct hall *hall,
                      struct samples *alone, struct heel_error **err)
{
    struct contestant beside = {.name = "with all of them"};
    struct contestant before = {.name = "without them", .samples = *alone};
    int result = run_beside(hall, &beside.samples, err);

    if (result == 0)
        bench_add_ratio(bench, self, BESIDE, &beside, &before);
    samples_free(&beside.samples);
    return result;
}

static int measure(struct bench *bench, const struct measurement *self, struct hall *hall,
                   struct heel_error **err)
{
    autosamples struct samples alone = {0};
    struct holdings before;
    char *note;

    if (make_sandboxes(hall, err) < 0 || run_beside(hall, &alone, err) < 0)
        return -1;
    before = take_stock(hall);
    note = attach_all(hall);
    bench_add_value(bench, self, ATTACHED, (double)hall->count, note);
    if (hall->count == 0)
        return heel_error_set(err, HEEL_INTERNAL, NULL, "%s", note);
    sleep_ms(SETTLE_MS);
    add_memory(bench, self, hall, &before);
    bench_add_median(bench, self, START, &hall->starts);
    bench_add_value(bench, self, IDLE_CPU, idle_cpu_percent(bench, hall), NULL);
    return add_beside(bench, self, hall, &alone, err);
}

/* The server goes first: that ends all of them at once. */
static void clear(struct hall *hall)
{
    daemon_stop(hall->daemon);
    for (size_t i = 0; i < hall->count; i++)
        exec_stream_free(hall->streams[i]);
    for (size_t i = 0; i < SANDBOXES; i++)
        free(hall->sandboxes[i]);
    free(hall->streams);
    samples_free(&hall->starts);
    grpcc_queue_free(hall->queue);
    grpcc_channel_free(hall->channel);
}

static int run(struct bench *bench, const struct measurement *self, struct heel_error **err)
{
    struct hall hall = {.wanted = bench_count(bench, FULL_COUNT, QUICK_COUNT)};
    int result = -1;

    hall.daemon = bench_start_daemon(bench, "attached", err);
    hall.channel = hall.daemon ? client_connect(hall.daemon->socket, err) : NULL;
    if (hall.channel) {
        hall.keep_stdin =
            procfs_open_files_limit(hall.daemon->pid) >= 3 * hall.wanted + OTHER_DESCRIPTORS;
        hall.queue = grpcc_queue_new(NULL);
        hall.streams = heel_xcalloc(hall.wanted, sizeof(struct exec_stream *));
        result = measure(bench, self, &hall, err);
    }
    clear(&hall);
    return result;
}

const struct measurement measure_attached = {
    .name = "attached",
    .targets =
        {
            [ATTACHED] = {"idle commands attached at once", "", TARGET_AT_LEAST, FULL_COUNT},
            [RSS] = {"heeld's growth per idle attached command", "KiB", TARGET_NONE, 0},
            [INITS] = {"the inits' growth per command", "KiB", TARGET_NONE, 0},
            [LAUNCHER] = {"the launcher's growth per command", "KiB", TARGET_NONE, 0},
            [START] = {"Exec until started, while they are made", "ms", TARGET_NONE, 0},
            [IDLE_CPU] = {"CPU of heeld while all are idle", "%", TARGET_NONE, 0},
            [BESIDE] = {"RunCommand beside them, against before", "x", TARGET_NONE, 0},
        },
    .run = run,
};
