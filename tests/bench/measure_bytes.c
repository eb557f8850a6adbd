/* Bytes per second of one command's standard output and input through Exec. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/bench/bench.h"
#include "tests/bench/child.h"
#include "tests/bench/exec_stream.h"

#define FULL_BYTES ((uint64_t)2 << 30)
#define QUICK_BYTES ((uint64_t)256 << 20)
#define PIPE_CHUNK 65536

struct transfer {
    struct grpcc_channel *channel;
    const char *id;
    uint64_t bytes;
};

static int short_by(uint64_t got, uint64_t expected, struct heel_error **err)
{
    return heel_error_set(err, HEEL_DATA_LOSS, NULL, "%llu bytes came instead of %llu",
                          (unsigned long long)got, (unsigned long long)expected);
}

static int receive(void *data, struct heel_error **err)
{
    const struct transfer *transfer = data;
    heel_autofree char *bytes = heel_format("%llu", (unsigned long long)transfer->bytes);
    const char *argv[] = {"head", "-c", bytes, "/dev/zero"};
    autoexec struct exec_stream *exec =
        exec_stream_open(transfer->channel, transfer->id, argv, HEEL_ARRAY_LENGTH(argv), 0);

    if (exec_stream_read(exec, UINT64_MAX, err) < 0)
        return -1;
    if (exec_stream_received(exec) != transfer->bytes)
        return short_by(exec_stream_received(exec), transfer->bytes, err);
    return 0;
}

/* It fails if it was given less than all. */
static int send(void *data, struct heel_error **err)
{
    const struct transfer *transfer = data;
    heel_autofree char *script =
        heel_format("test $(wc -c) = %llu", (unsigned long long)transfer->bytes);
    const char *argv[] = {"sh", "-c", script};
    autoexec struct exec_stream *exec = exec_stream_open(transfer->channel, transfer->id, argv,
                                                         HEEL_ARRAY_LENGTH(argv), transfer->bytes);

    return exec_stream_read(exec, UINT64_MAX, err);
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

/* What the same command gives without heel. */
static int read_pipe(void *data, struct heel_error **err)
{
    const struct transfer *transfer = data;
    heel_autofree char *bytes = heel_format("%llu", (unsigned long long)transfer->bytes);
    const char *argv[] = {"/usr/bin/head", "-c", bytes, "/dev/zero", NULL};
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
    return total == transfer->bytes ? 0 : short_by(total, transfer->bytes, err);
}

/* Milliseconds become MB/s; 99 % of the runs were at least as fast as p99. */
static struct spread speeds(struct contestant *contestant, uint64_t bytes)
{
    struct spread spread = samples_spread(&contestant->samples);

    spread.p50 = (double)bytes / 1e3 / spread.p50;
    spread.p99 = (double)bytes / 1e3 / spread.p99;
    return spread;
}

static int measure(struct bench *bench, const struct measurement *self, const char *name,
                   int (*once)(void *data, struct heel_error **err), struct heel_error **err)
{
    autochannel struct grpcc_channel *channel = bench_connect(bench, err);
    heel_autofree char *id = NULL;
    struct transfer transfer = {.channel = channel,
                                .bytes = bench->quick ? QUICK_BYTES : FULL_BYTES};
    struct contestant contestants[] = {
        {.name = name, .once = once, .data = &transfer},
        {.name = "a pipe", .once = read_pipe, .data = &transfer},
    };
    struct result result = {.target = &self->targets[0], .spread_unit = "MB/s"};
    int outcome;

    if (!channel || client_create(channel, &id, err) < 0)
        return -1;
    transfer.id = id;
    outcome = contest_run(contestants, 2, bench_count(bench, 5, 3), 1, err);
    if (outcome == 0) {
        result.own = speeds(&contestants[0], transfer.bytes);
        result.value = result.own.p50;
        result.against = contestants[1].name;
        result.base = speeds(&contestants[1], transfer.bytes);
        report_add(bench->report, self->name, result);
    }
    contest_clear(contestants, 2);
    return outcome < 0 ? -1 : client_delete(channel, id, err);
}

static int run_stdout(struct bench *bench, const struct measurement *self, struct heel_error **err)
{
    return measure(bench, self, "stdout", receive, err);
}

static int run_stdin(struct bench *bench, const struct measurement *self, struct heel_error **err)
{
    return measure(bench, self, "stdin", send, err);
}

const struct measurement measure_stdout = {
    .name = "stdout",
    .targets = {{"standard output through Exec", "MB/s", TARGET_AT_LEAST, 600}},
    .run = run_stdout,
};

const struct measurement measure_stdin = {
    .name = "stdin",
    .targets = {{"standard input through Exec", "MB/s", TARGET_NONE, 0}},
    .run = run_stdin,
};
