/* A client that stops reading while its command writes without end: the server's memory must not
 * grow. */
#include "base/text.h"
#include "tests/bench/bench.h"
#include "tests/bench/exec_stream.h"
#include "tests/bench/procfs.h"

#define READ_FIRST ((uint64_t)256 << 20)
#define SETTLE_MS 500 /* until the windows and pipes between the two are full */
#define SAMPLE_MS 100
#define KIB_PER_MIB 1024

enum { GROWTH, TOTAL };

static double watch_rss(pid_t pid, double duration_ms)
{
    double deadline = now_ms() + duration_ms, highest = 0;

    while (now_ms() < deadline) {
        double rss = procfs_memory_of(pid).rss;

        highest = rss > highest ? rss : highest;
        sleep_ms(SAMPLE_MS);
    }
    return highest;
}

static int stall(struct bench *bench, const struct measurement *self, struct daemon *daemon,
                 struct grpcc_channel *channel, struct heel_error **err)
{
    heel_autofree char *id = NULL;
    autoexec struct exec_stream *exec = NULL;
    const char *argv[] = {"yes"};
    struct exec_command command = {.argv = argv, .count = 1};
    double before, begin, highest;

    if (client_create(channel, &id, err) < 0)
        return -1;
    before = procfs_memory_of(daemon->pid).rss;
    command.sandbox_id = id;
    exec = exec_stream_open(channel, NULL, &command);
    if (exec_stream_read(exec, READ_FIRST, err) < 0)
        return -1;
    sleep_ms(SETTLE_MS);
    begin = procfs_memory_of(daemon->pid).rss;
    highest = watch_rss(daemon->pid, bench->quick ? 1000 : 10000);
    bench_add_value(bench, self, GROWTH, (highest - begin) / KIB_PER_MIB, NULL);
    bench_add_value(bench, self, TOTAL, (highest - before) / KIB_PER_MIB, NULL);
    return 0;
}

static int run(struct bench *bench, const struct measurement *self, struct heel_error **err)
{
    autodaemon struct daemon *daemon = bench_start_daemon(bench, "stall", err);
    autochannel struct grpcc_channel *channel = daemon ? client_connect(daemon->socket, err) : NULL;

    return channel ? stall(bench, self, daemon, channel, err) : -1;
}

const struct measurement measure_stall = {
    .name = "stall",
    .targets =
        {
            [GROWTH] = {"heeld's growth in 10 s of a stalled reader", "MiB", TARGET_AT_MOST, 0.25},
            [TOTAL] = {"heeld's growth since before that command", "MiB", TARGET_NONE, 0},
        },
    .run = run,
};
