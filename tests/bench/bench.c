#include "tests/bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/bench/child.h"

#define PIPE_CHUNK 65536

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

/* Milliseconds become MB/s; 99 % of the runs were at least as fast as p99. */
static struct spread speeds(struct contestant *contestant, uint64_t bytes)
{
    struct spread spread = samples_spread(&contestant->samples);

    spread.p50 = (double)bytes / 1e3 / spread.p50;
    spread.p99 = (double)bytes / 1e3 / spread.p99;
    return spread;
}

void bench_add_speed(struct bench *bench, const struct measurement *self, size_t target,
                     struct contestant *own, struct contestant *base, uint64_t bytes)
{
    struct result result = {
        .target = &self->targets[target],
        .spread_unit = "MB/s",
        .own = speeds(own, bytes),
        .against = base->name,
        .base = speeds(base, bytes),
    };

    result.value = result.own.p50;
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

static uint64_t drain(int fd)
{
    static char chunk[PIPE_CHUNK];
    uint64_t total = 0;
    ssize_t got;

    while ((got = read(fd, chunk, sizeof chunk)) > 0 || (got < 0 && errno == EINTR))
        total += got > 0 ? (uint64_t)got : 0;
    return total;
}

int bench_read_pipe(uint64_t bytes, struct heel_error **err)
{
    heel_autofree char *count = heel_format("%llu", (unsigned long long)bytes);
    const char *argv[] = {"/usr/bin/head", "-c", count, "/dev/zero", NULL};
    heel_autoclose int ours = -1;
    uint64_t total;
    int ends[2], result;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return heel_error_set_errno(err, errno, "make a pipe");
    ours = ends[0];
    result = child_spawn(argv, NULL, ends[1], &pid, err);
    close(ends[1]);
    if (result < 0)
        return -1;
    total = drain(ours);
    if (child_wait(pid, argv[0], err) < 0)
        return -1;
    return total == bytes ? 0 : bench_bytes_missing(total, bytes, err);
}

int bench_bytes_missing(uint64_t got, uint64_t expected, struct heel_error **err)
{
    return heel_error_set(err, HEEL_DATA_LOSS, NULL, "%llu bytes came instead of %llu",
                          (unsigned long long)got, (unsigned long long)expected);
}

int bench_run_bwrap(void *data, struct heel_error **err)
{
    const struct bench *bench = data;
    const char *argv[] = {bench->bwrap, "--unshare-all", "--ro-bind", "/",         "/", "--dev",
                          "/dev",       "--proc",        "/proc",     "/bin/true", NULL};

    return child_run(argv, NULL, err);
}
