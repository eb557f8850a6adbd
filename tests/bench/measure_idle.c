/* What a server costs that does nothing: to start it, and to have it. */
#include "base/text.h"
#include "tests/bench/bench.h"
#include "tests/bench/procfs.h"

#define SETTLE_MS 500
#define KIB_PER_MIB 1024

enum { START, RSS, USED_RSS, PSS, LAUNCHER_PSS };

static int start_once(struct bench *bench, size_t number, struct samples *starts,
                      struct heel_error **err)
{
    heel_autofree char *name = heel_format("start%zu", number);
    autodaemon struct daemon *daemon = bench_start_daemon(bench, name, err);

    if (!daemon)
        return -1;
    samples_add(starts, daemon->start_ms);
    return 0;
}

static int measure_starts(struct bench *bench, const struct measurement *self,
                          struct heel_error **err)
{
    autosamples struct samples starts = {0};

    for (size_t i = 0; i < bench_count(bench, 50, 5); i++)
        if (start_once(bench, i, &starts, err) < 0)
            return -1;
    bench_add_median(bench, self, START, &starts);
    return 0;
}

static char *pss_note(const struct memory *memory)
{
    return memory->pss_is_known ? NULL
                                : heel_xstrdup("without what it shares with files: PSS takes root");
}

/* Some sandboxes have come and gone. */
static int use(const struct daemon *daemon, struct heel_error **err)
{
    autochannel struct grpcc_channel *channel = client_connect(daemon->socket, err);

    if (!channel)
        return -1;
    for (size_t i = 0; i < 200; i++)
        if (client_run(channel, NULL, err) < 0)
            return -1;
    return 0;
}

static int measure_memory(struct bench *bench, const struct measurement *self,
                          struct heel_error **err)
{
    autodaemon struct daemon *daemon = bench_start_daemon(bench, "idle", err);
    struct memory own, launcher;

    if (!daemon)
        return -1;
    sleep_ms(SETTLE_MS);
    own = procfs_memory_of(daemon->pid);
    launcher = procfs_memory_of(procfs_first_child(daemon->pid));
    bench_add_value(bench, self, RSS, own.rss / KIB_PER_MIB, NULL);
    bench_add_value(bench, self, PSS, own.pss / KIB_PER_MIB, pss_note(&own));
    bench_add_value(bench, self, LAUNCHER_PSS, launcher.pss / KIB_PER_MIB, pss_note(&launcher));
    if (use(daemon, err) < 0)
        return -1;
    sleep_ms(SETTLE_MS);
    bench_add_value(bench, self, USED_RSS, procfs_memory_of(daemon->pid).rss / KIB_PER_MIB, NULL);
    return 0;
}

static int run(struct bench *bench, const struct measurement *self, struct heel_error **err)
{
    if (measure_starts(bench, self, err) < 0)
        return -1;
    return measure_memory(bench, self, err);
}

const struct measurement measure_idle = {
    .name = "idle",
    .targets =
        {
            [START] = {"heeld from start to ready", "ms", TARGET_AT_MOST, 20},
            [RSS] = {"RSS of an idle heeld", "MiB", TARGET_AT_MOST, 15},
            [USED_RSS] = {"the same after 200 sandboxes", "MiB", TARGET_NONE, 0},
            [PSS] = {"PSS of an idle heeld", "MiB", TARGET_NONE, 0},
            [LAUNCHER_PSS] = {"PSS of its launcher", "MiB", TARGET_NONE, 0},
        },
    .run = run,
};
