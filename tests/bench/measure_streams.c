/* Many commands' standard streams at once, over one connection: all of them together, and what the
 * slowest gets of it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/bench/bench.h"
#include "tests/bench/child.h"
#include "tests/bench/crowd.h"

#define SOME 16 /* streams */
#define MANY 200
#define FULL_BYTES ((uint64_t)2 << 30)
#define QUICK_BYTES ((uint64_t)128 << 20)
#define PIPE_CHUNK 65536

enum { STDOUT, STDIN, SHARE_OF_SOME };

struct load {
    struct grpcc_channel *channel;
    const char *id;
    uint64_t bytes; /* of all streams */
    size_t streams;
    struct samples shares; /* of the slowest, a sample a run; freed by whoever has it */
};

/* ---- through heel ---- */

static int receive(void *data, struct heel_error **err)
{
    static const char *const argv[] = {"cat", "/dev/zero"};
    struct load *load = data;
    const struct exec_command command = {.sandbox_id = load->id, .argv = argv, .count = 2};
    autocrowd struct crowd *crowd = crowd_open(load->channel, &command, load->streams);

    if (crowd_start(crowd, err) < 0 || crowd_read(crowd, load->bytes, err) < 0)
        return -1;
    samples_add(&load->shares, crowd_share_of_slowest(crowd));
    return 0;
}

/* Each fails if it was given less than its part. */
static int send(void *data, struct heel_error **err)
{
    const struct load *load = data;
    uint64_t part = load->bytes / load->streams;
    heel_autofree char *script = heel_format("test $(wc -c) = %llu", (unsigned long long)part);
    const char *argv[] = {"sh", "-c", script};
    const struct exec_command command = {
        .sandbox_id = load->id, .argv = argv, .count = 3, .stdin_bytes = part};
    autocrowd struct crowd *crowd = crowd_open(load->channel, &command, load->streams);

    return crowd_read(crowd, UINT64_MAX, err);
}

/* ---- through pipes ---- */

struct pipes {
    struct pollfd ends[SOME]; /* owned */
    pid_t writers[SOME];
    size_t count;
};

static int open_pipe(struct pipes *pipes, struct heel_error **err)
{
    static const char *const argv[] = {"/bin/cat", "/dev/zero", NULL};
    int ends[2], result;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return heel_error_set_errno(err, errno, "make a pipe");
    result = child_spawn(argv, NULL, ends[1], &pipes->writers[pipes->count], err);
    close(ends[1]);
    if (result < 0) {
        close(ends[0]);
        return -1;
    }
    pipes->ends[pipes->count++] = (struct pollfd){.fd = ends[0], .events = POLLIN};
    return 0;
}

static void drain(struct pipes *pipes, uint64_t bytes)
{
    static char chunk[PIPE_CHUNK];
    uint64_t total = 0;

    while (total < bytes && poll(pipes->ends, pipes->count, -1) > 0) {
        for (size_t i = 0; i < pipes->count; i++) {
            ssize_t got = pipes->ends[i].revents ? read(pipes->ends[i].fd, chunk, sizeof chunk) : 0;

            total += got > 0 ? (uint64_t)got : 0;
        }
    }
}

static void close_pipes(struct pipes *pipes)
{
    for (size_t i = 0; i < pipes->count; i++) {
        kill(pipes->writers[i], SIGKILL);
        waitpid(pipes->writers[i], NULL, 0);
        close(pipes->ends[i].fd);
    }
}

static int read_pipes(void *data, struct heel_error **err)
{
    const struct load *load = data;
    struct pipes pipes = {0};
    int result = 0;

    while (result == 0 && pipes.count < load->streams)
        result = open_pipe(&pipes, err);
    if (result == 0)
        drain(&pipes, load->bytes);
    close_pipes(&pipes);
    return result;
}

/* ---- the measurements ---- */

static int run_some(struct bench *bench, const struct measurement *self, struct heel_error **err)
{
    autochannel struct grpcc_channel *channel = bench_connect(bench, err);
    heel_autofree char *id = NULL;
    struct load load = {
        .channel = channel, .bytes = bench->quick ? QUICK_BYTES : FULL_BYTES, .streams = SOME};
    struct contestant contestants[] = {
        {.name = "stdout", .once = receive, .data = &load},
        {.name = "stdin", .once = send, .data = &load},
        {.name = "16 pipes, read in turn", .once = read_pipes, .data = &load},
    };
    int result;

    if (!channel || client_create(channel, &id, err) < 0)
        return -1;
    load.id = id;
    result = contest_run(contestants, 3, bench_count(bench, 5, 1), bench_count(bench, 1, 0), err);
    if (result == 0) {
        bench_add_speed(bench, self, STDOUT, &contestants[0], &contestants[2], load.bytes);
        bench_add_speed(bench, self, STDIN, &contestants[1], &contestants[2], load.bytes);
        bench_add_median(bench, self, SHARE_OF_SOME, &load.shares);
    }
    contest_clear(contestants, 3);
    samples_free(&load.shares);
    return result < 0 ? -1 : client_delete(channel, id, err);
}

static int run_many(struct bench *bench, const struct measurement *self, struct heel_error **err)
{
    autochannel struct grpcc_channel *channel = bench_connect(bench, err);
    heel_autofree char *id = NULL;
    struct load load = {
        .channel = channel, .bytes = bench->quick ? QUICK_BYTES : FULL_BYTES, .streams = MANY};
    int result = 0;

    if (!channel || client_create(channel, &id, err) < 0)
        return -1;
    load.id = id;
    for (size_t i = 0; result == 0 && i < bench_count(bench, 3, 1); i++)
        result = receive(&load, err);
    if (result == 0)
        bench_add_median(bench, self, 0, &load.shares);
    samples_free(&load.shares);
    return result < 0 ? -1 : client_delete(channel, id, err);
}

const struct measurement measure_streams = {
    .name = "streams",
    .targets =
        {
            [STDOUT] = {"standard output of 16 commands through Exec", "MB/s", TARGET_NONE, 0},
            [STDIN] = {"standard input of 16 commands through Exec", "MB/s", TARGET_NONE, 0},
            [SHARE_OF_SOME] = {"what the slowest stream got, of the fastest's", "", TARGET_AT_LEAST,
                               0.25},
        },
    .run = run_some,
};

const struct measurement measure_fair = {
    .name = "fair",
    .targets = {{"the slowest of 200 full streams, of the fastest's", "", TARGET_AT_LEAST, 0.25}},
    .run = run_many,
};
