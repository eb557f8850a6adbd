/* A whole sandbox for one command, against bubblewrap with the same namespaces. */
#include "base/text.h"
#include "tests/bench/bench.h"

enum { LIFE, PRIVATE, CREATE, RUN, DELETE };

struct life {
    struct grpcc_channel *channel;
    struct samples create;
    struct samples run;
    struct samples delete;
};

static int live(void *data, struct heel_error **err)
{
    struct life *life = data;
    heel_autofree char *id = NULL;
    double begin = now_ms(), created, ran;

    if (client_create(life->channel, &id, err) < 0)
        return -1;
    created = now_ms();
    if (client_run(life->channel, id, err) < 0)
        return -1;
    ran = now_ms();
    if (client_delete(life->channel, id, err) < 0)
        return -1;
    samples_add(&life->create, created - begin);
    samples_add(&life->run, ran - created);
    samples_add(&life->delete, now_ms() - ran);
    return 0;
}

static int run_private(void *data, struct heel_error **err)
{
    const struct life *life = data;

    return client_run(life->channel, NULL, err);
}

static void add_results(struct bench *bench, const struct measurement *self,
                        struct contestant *contestants, struct life *life)
{
    if (bench->bwrap) {
        bench_add_ratio(bench, self, LIFE, &contestants[0], &contestants[2]);
        bench_add_ratio(bench, self, PRIVATE, &contestants[1], &contestants[2]);
    }
    bench_add_median(bench, self, CREATE, &life->create);
    bench_add_median(bench, self, RUN, &life->run);
    bench_add_median(bench, self, DELETE, &life->delete);
}

static int run(struct bench *bench, const struct measurement *self, struct heel_error **err)
{
    autochannel struct grpcc_channel *channel = bench_connect(bench, err);
    struct life life = {.channel = channel};
    struct contestant contestants[] = {
        {.name = "create + run + delete", .once = live, .data = &life},
        {.name = "RunCommand with a spec", .once = run_private, .data = &life},
        {.name = "bwrap --unshare-all", .once = bench_run_bwrap, .data = bench},
    };
    int result;

    if (!channel)
        return -1;
    if (!bench->bwrap)
        report_skip(bench->report, self->name, "bwrap is not installed: no ratios to it");
    result = contest_run(contestants, bench->bwrap ? 3 : 2, bench_count(bench, 1000, 100), 20, err);
    if (result == 0)
        add_results(bench, self, contestants, &life);
    contest_clear(contestants, HEEL_ARRAY_LENGTH(contestants));
    samples_free(&life.create);
    samples_free(&life.run);
    samples_free(&life.delete);
    return result;
}

const struct measurement measure_create = {
    .name = "create",
    .targets =
        {
            [LIFE] = {"CreateSandbox + RunCommand + DeleteSandbox", "x", TARGET_AT_MOST, 0.8},
            [PRIVATE] = {"RunCommand with a spec", "x", TARGET_NONE, 0},
            [CREATE] = {"CreateSandbox", "ms", TARGET_NONE, 0},
            [RUN] = {"the first RunCommand in it", "ms", TARGET_NONE, 0},
            [DELETE] = {"DeleteSandbox", "ms", TARGET_NONE, 0},
        },
    .run = run,
};
