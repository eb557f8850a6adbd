/* Bytes per second of one command's standard output and input through Exec. */
#include "base/text.h"
#include "tests/bench/bench.h"
#include "tests/bench/exec_stream.h"

#define FULL_BYTES ((uint64_t)2 << 30)
#define QUICK_BYTES ((uint64_t)256 << 20)

struct transfer {
    struct grpcc_channel *channel;
    const char *id;
    uint64_t bytes;
};

static int receive(void *data, struct heel_error **err)
{
    const struct transfer *transfer = data;
    heel_autofree char *bytes = heel_format("%llu", (unsigned long long)transfer->bytes);
    const char *argv[] = {"head", "-c", bytes, "/dev/zero"};
    const struct exec_command command = {
        .sandbox_id = transfer->id, .argv = argv, .count = HEEL_ARRAY_LENGTH(argv)};
    autoexec struct exec_stream *exec = exec_stream_open(transfer->channel, NULL, &command);

    if (exec_stream_read(exec, UINT64_MAX, err) < 0)
        return -1;
    if (exec_stream_received(exec) != transfer->bytes)
        return bench_bytes_missing(exec_stream_received(exec), transfer->bytes, err);
    return 0;
}

/* It fails if it was given less than all. */
static int send(void *data, struct heel_error **err)
{
    const struct transfer *transfer = data;
    heel_autofree char *script =
        heel_format("test $(wc -c) = %llu", (unsigned long long)transfer->bytes);
    const char *argv[] = {"sh", "-c", script};
    const struct exec_command command = {.sandbox_id = transfer->id,
                                         .argv = argv,
                                         .count = HEEL_ARRAY_LENGTH(argv),
                                         .stdin_bytes = transfer->bytes};
    autoexec struct exec_stream *exec = exec_stream_open(transfer->channel, NULL, &command);

    return exec_stream_read(exec, UINT64_MAX, err);
}

static int read_pipe(void *data, struct heel_error **err)
{
    const struct transfer *transfer = data;

    return bench_read_pipe(transfer->bytes, err);
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
    int outcome;

    if (!channel || client_create(channel, &id, err) < 0)
        return -1;
    transfer.id = id;
    outcome = contest_run(contestants, 2, bench_count(bench, 5, 3), 1, err);
    if (outcome == 0)
        bench_add_speed(bench, self, 0, &contestants[0], &contestants[1], transfer.bytes);
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
