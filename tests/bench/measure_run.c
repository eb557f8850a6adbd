/* A command in a sandbox that is there already, against the same command without any sandbox. */
#include "base/text.h"
#include "tests/bench/bench.h"
#include "tests/bench/child.h"

struct sandbox {
    struct grpcc_channel *channel;
    char *id;
};

static int run_plain(void *data, struct heel_error **err)
{
    static const char *const argv[] = {"/bin/true", NULL};

    (void)data;
    return child_run(argv, NULL, err);
}

static int run_inside(void *data, struct heel_error **err)
{
    const struct sandbox *sandbox = data;

    return client_run(sandbox->channel, sandbox->id, err);
}

static int run(struct bench *bench, const struct measurement *self, struct heel_error **err)
{
    autochannel struct grpcc_channel *channel = bench_connect(bench, err);
    heel_autofree char *id = NULL;
    struct sandbox sandbox = {.channel = channel};
    struct contestant contestants[] = {
        {.name = "posix_spawn + wait", .once = run_plain},
        {.name = "RunCommand", .once = run_inside, .data = &sandbox},
    };
    int result;

    if (!channel || client_create(channel, &id, err) < 0)
        return -1;
    sandbox.id = id;
    result = contest_run(contestants, 2, bench_count(bench, 3000, 200), 50, err);
    if (result == 0)
        bench_add_ratio(bench, self, 0, &contestants[1], &contestants[0]);
    contest_clear(contestants, 2);
    return result < 0 ? -1 : client_delete(channel, id, err);
}

const struct measurement measure_run = {
    .name = "run",
    .targets = {{"RunCommand /bin/true in an existing sandbox", "x", TARGET_AT_MOST, 1.4}},
    .run = run,
};
