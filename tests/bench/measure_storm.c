/* Many clients that make, use and delete sandboxes at once, and what that leaves behind. */
#include <pthread.h>

#include "base/text.h"
#include "tests/bench/bench.h"
#include "tests/bench/procfs.h"

#define CLIENTS 16
#define SLAB_WAIT_MS 5000
#define LEFT_WAIT_MS 1000 /* within which nothing of a sandbox may be left */
#define KIB_PER_MIB 1024

enum { RATE, CPU, HEELD_CPU, LEFT_PROCESSES, LEFT_FILES, LEFT_SANDBOXES, SLAB };

struct client {
    pthread_t thread;
    struct grpcc_channel *channel;
    double deadline;
    struct samples took;
    struct heel_error *error;
};

/* What a server has and used, to be compared before and after. */
struct traces {
    double heeld_cpu; /* milliseconds */
    double cpu;       /* of all: its launcher waits for inits, which wait for commands */
    size_t processes;
    size_t files;
    double slab;
};

static int live_once(struct client *client)
{
    heel_autofree char *id = NULL;
    double begin = now_ms();

    if (client_create(client->channel, &id, &client->error) < 0 ||
        client_run(client->channel, id, &client->error) < 0 ||
        client_delete(client->channel, id, &client->error) < 0)
        return -1;
    samples_add(&client->took, now_ms() - begin);
    return 0;
}

static void *live(void *data)
{
    struct client *client = data;

    while (now_ms() < client->deadline && live_once(client) == 0)
        ;
    return NULL;
}

static struct traces take_traces(const struct daemon *daemon)
{
    double heeld = procfs_cpu_ms(daemon->pid);

    return (struct traces){
        .heeld_cpu = heeld,
        .cpu = heeld + procfs_cpu_ms(procfs_first_child(daemon->pid)),
        .processes = procfs_count_below(daemon->pid),
        .files = daemon_count_state(daemon),
        .slab = procfs_meminfo("SUnreclaim"),
    };
}

static int connect_all(struct client *clients, const struct daemon *daemon, struct heel_error **err)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i].channel = client_connect(daemon->socket, err);
        if (!clients[i].channel)
            return -1;
    }
    return 0;
}

/* Everything that they did goes to *took; returns how long it took, in milliseconds, or -1. */
static double run_all(struct client *clients, double duration_ms, struct samples *took,
                      struct heel_error **err)
{
    double begin = now_ms();
    bool failed = false;

    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i].deadline = begin + duration_ms;
        if (pthread_create(&clients[i].thread, NULL, live, &clients[i]) != 0)
            abort();
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i].thread, NULL);
        samples_append(took, &clients[i].took);
        samples_free(&clients[i].took);
        if (clients[i].error) {
            heel_error_free(failed ? clients[i].error : NULL);
            if (!failed)
                heel_error_propagate(err, &clients[i].error);
            failed = true;
        }
    }
    return failed ? -1 : now_ms() - begin;
}

static double difference(size_t after, size_t before)
{
    return (double)after - (double)before;
}

/* The kernel frees namespaces some time after their last user is gone. */
static double lowest_slab(double before)
{
    double deadline = now_ms() + SLAB_WAIT_MS, lowest;

    do {
        lowest = procfs_meminfo("SUnreclaim");
        sleep_ms(50);
    } while (lowest > before && now_ms() < deadline);
    return lowest;
}

static int add_remains(struct bench *bench, const struct measurement *self,
                       const struct daemon *daemon, struct grpcc_channel *channel,
                       const struct traces *before, size_t lives, struct heel_error **err)
{
    double peak = procfs_meminfo("SUnreclaim");
    struct traces after;
    size_t sandboxes;

    sleep_ms(LEFT_WAIT_MS);
    after = take_traces(daemon);
    if (client_count(channel, &sandboxes, err) < 0)
        return -1;
    bench_add_value(bench, self, CPU, (after.cpu - before->cpu) / (double)lives, NULL);
    bench_add_value(bench, self, HEELD_CPU, (after.heeld_cpu - before->heeld_cpu) / (double)lives,
                    NULL);
    bench_add_value(bench, self, LEFT_PROCESSES, difference(after.processes, before->processes),
                    NULL);
    bench_add_value(bench, self, LEFT_FILES, difference(after.files, before->files), NULL);
    bench_add_value(bench, self, LEFT_SANDBOXES, (double)sandboxes, NULL);
    bench_add_value(bench, self, SLAB, (lowest_slab(before->slab) - before->slab) / KIB_PER_MIB,
                    heel_format("%.0f MiB before, %+.0f at the end of the load",
                                before->slab / KIB_PER_MIB, (peak - before->slab) / KIB_PER_MIB));
    return 0;
}

static void add_rate(struct bench *bench, const struct measurement *self, struct samples *took,
                     double duration_ms)
{
    struct result result = {.target = &self->targets[RATE],
                            .value = (double)took->count / duration_ms * 1e3,
                            .spread_unit = "ms",
                            .own = samples_spread(took)};

    report_add(bench->report, self->name, result);
}

static int storm(struct bench *bench, const struct measurement *self, struct daemon *daemon,
                 struct client *clients, struct heel_error **err)
{
    autosamples struct samples warm_up = {0};
    autosamples struct samples took = {0};
    struct traces before;
    double duration;

    /* Caches fill and the pool of namespaces grows to what it keeps. */
    if (connect_all(clients, daemon, err) < 0 || run_all(clients, 1000, &warm_up, err) < 0)
        return -1;
    sleep_ms(SLAB_WAIT_MS);
    before = take_traces(daemon);
    duration = run_all(clients, bench->quick ? 2000 : 10000, &took, err);
    if (duration < 0)
        return -1;
    add_rate(bench, self, &took, duration);
    return add_remains(bench, self, daemon, clients[0].channel, &before, took.count, err);
}

static int run(struct bench *bench, const struct measurement *self, struct heel_error **err)
{
    autodaemon struct daemon *daemon = bench_start_daemon(bench, "storm", err);
    struct client clients[CLIENTS] = {0};
    int result = daemon ? storm(bench, self, daemon, clients, err) : -1;

    for (size_t i = 0; i < CLIENTS; i++)
        grpcc_channel_free(clients[i].channel);
    return result;
}

const struct measurement measure_storm = {
    .name = "storm",
    .targets =
        {
            [RATE] = {"sandboxes/s, 16 clients create + run + delete", "/s", TARGET_AT_LEAST, 700},
            [CPU] = {"CPU time per sandbox, commands included", "ms", TARGET_NONE, 0},
            [HEELD_CPU] = {"CPU time per sandbox, of heeld itself", "ms", TARGET_NONE, 0},
            [LEFT_PROCESSES] = {"processes left over after 1 s", "", TARGET_AT_MOST, 0},
            [LEFT_FILES] = {"files left over after 1 s", "", TARGET_AT_MOST, 0},
            [LEFT_SANDBOXES] = {"sandboxes left over", "", TARGET_AT_MOST, 0},
            [SLAB] = {"unreclaimable slab left over after 5 s", "MiB", TARGET_AT_MOST, 8},
        },
    .run = run,
};
