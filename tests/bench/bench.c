#include "tests/bench/bench.h"

#include "base/text.h"
#include "tests/bench/child.h"

struct daemon *bench_start_daemon(struct bench *bench, const char *name, struct heel_error **err)
{
    heel_autofree char *folder = heel_format("%s/%s", bench->folder, name);

    return daemon_start(bench->heeld, folder, err);
}

struct daemon *bench_daemon(struct bench *bench, struct heel_error **err)
{
    if (!bench->daemon)
        bench->daemon = bench_start_daemon(bench, "d", err);
    return bench->daemon;
}

struct grpcc_channel *bench_connect(struct bench *bench, struct heel_error **err)
{
    struct daemon *daemon = bench_daemon(bench, err);

    return daemon ? client_connect(daemon->socket, err) : NULL;
}

size_t bench_count(const struct bench *bench, size_t full, size_t quick)
{
    return bench->quick ? quick : full;
}

void bench_add_ratio(struct bench *bench, const struct measurement *self, size_t target,
                     struct contestant *own, struct contestant *base)
{
    struct result result = {
        .target = &self->targets[target],
        .spread_unit = "ms",
        .own = samples_spread(&own->samples),
        .against = base->name,
        .base = samples_spread(&base->samples),
    };

    result.value = result.own.p50 / result.base.p50;
    report_add(bench->report, self->name, result);
}

void bench_add_value(struct bench *bench, const struct measurement *self, size_t target,
                     double value, char *note)
{
    struct result result = {
        .target = &self->targets[target], .value = value, .spread_unit = "", .note = note};

    report_add(bench->report, self->name, result);
}

void bench_add_median(struct bench *bench, const struct measurement *self, size_t target,
                      struct samples *own)
{
    struct result result = {
        .target = &self->targets[target],
        .spread_unit = self->targets[target].unit,
        .own = samples_spread(own),
    };

    result.value = result.own.p50;
    report_add(bench->report, self->name, result);
}

int bench_run_bwrap(void *data, struct heel_error **err)
{
    const struct bench *bench = data;
    const char *argv[] = {bench->bwrap, "--unshare-all", "--ro-bind", "/",         "/", "--dev",
                          "/dev",       "--proc",        "/proc",     "/bin/true", NULL};

    return child_run(argv, NULL, err);
}
