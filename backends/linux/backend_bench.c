/* What the backend alone costs, without gRPC: run by hand.
 *
 *     backend_bench [SECONDS [IN_FLIGHT]] */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/backend.h"
#include "base/text.h"

#define SAMPLES_MAX 2000000

struct samples {
    double *us; /* owned */
    size_t count;
};

/* One round: create, run /bin/true, destroy; then again until the time is over. */
struct round {
    struct heel_sandbox *sandbox;
    struct heel_stdio stdio;
    uint64_t begun, created, started, exited;
};

static struct {
    uv_loop_t loop;
    struct heel_backend *backend;
    uint64_t until;
    unsigned serial;
    unsigned in_flight;
    pid_t launcher;
    struct samples create, run, destroy, whole;
} bench;

static void add(struct samples *samples, uint64_t from, uint64_t to)
{
    if (!samples->us)
        samples->us = heel_xcalloc(SAMPLES_MAX, sizeof *samples->us);
    if (samples->count < SAMPLES_MAX)
        samples->us[samples->count++] = (double)(to - from) / 1000;
}

static int compare(const void *left, const void *right)
{
    double difference = *(const double *)left - *(const double *)right;

    return difference < 0 ? -1 : difference > 0;
}

static void print(const char *what, struct samples *samples)
{
    if (samples->count == 0)
        return;
    qsort(samples->us, samples->count, sizeof *samples->us, compare);
    printf("  %-22s p50 %8.1f µs   p99 %8.1f µs\n", what, samples->us[samples->count / 2],
           samples->us[samples->count * 99 / 100]);
    samples->count = 0;
}

static void begin(struct round *round);

static void on_closed(void *data)
{
    (void)data;
}

static void on_deleted(const struct heel_sandbox_end *end, void *data)
{
    struct round *round = data;
    uint64_t now = uv_hrtime();

    if (end->error)
        fprintf(stderr, "not deleted: %s\n", end->error->message);
    add(&bench.destroy, round->exited, now);
    add(&bench.whole, round->begun, now);
    if (now < bench.until) {
        begin(round);
        return;
    }
    if (--bench.in_flight == 0)
        uv_stop(&bench.loop);
}

static void on_started(struct heel_process *process, int terminal, void *data)
{
    (void)process;
    (void)terminal;
    (void)data;
}

static void on_exited(struct heel_process *process, const struct heel_exit *how, void *data)
{
    struct round *round = data;

    (void)process;
    if (how->start_failure || how->signalled || how->code)
        fprintf(stderr, "failed: %d %d %d\n", how->start_failure, how->signalled, how->code);
    round->exited = uv_hrtime();
    add(&bench.run, round->started, round->exited);
    close(round->stdio.out);
    close(round->stdio.err);
    heel_sandbox_destroy(round->sandbox, on_deleted, round);
}

static const struct heel_process_events events = {on_started, on_exited};
static const char *const argv[] = {"/bin/true", NULL};
static const char *const environment[] = {"PATH=/usr/bin:/bin", NULL};
static const struct heel_command command = {.argv = argv, .environment = environment};

static void on_created(struct heel_sandbox *sandbox, const struct heel_error *error, void *data)
{
    struct round *round = data;
    struct heel_process *process;
    struct heel_error *why = NULL;

    if (!sandbox) {
        fprintf(stderr, "not created: %s\n", error->message);
        exit(1);
    }
    round->sandbox = sandbox;
    round->started = uv_hrtime();
    add(&bench.create, round->begun, round->started);
    if (heel_process_start(sandbox, &command, false, &events, round, &process, &round->stdio,
                           &why)) {
        fprintf(stderr, "not started: %s\n", why->message);
        exit(1);
    }
}

static void on_lost(struct heel_sandbox *sandbox, void *data)
{
    (void)sandbox;
    (void)data;
    fprintf(stderr, "a sandbox was lost\n");
    exit(1);
}

static void begin(struct round *round)
{
    char id[32];
    struct heel_sandbox_spec spec = {
        .id = id, .level = HEEL_LEVEL_DEFAULT, .caller = {geteuid(), getegid(), NULL, 0}};

    snprintf(id, sizeof id, "bench-%u", ++bench.serial);
    round->begun = uv_hrtime();
    heel_backend_create(bench.backend, &spec, on_created, on_lost, round);
}

/* Of this process, of the launcher, and of everything that this one has reaped; inits reap
 * commands.
 */
static double cpu_us(void)
{
    heel_autofree char *path = heel_format("/proc/%d/stat", (int)bench.launcher);
    FILE *stream = fopen(path, "re");
    unsigned long ticks[4] = {0};
    struct rusage own;

    if (stream &&
        fscanf(stream, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu",
               &ticks[0], &ticks[1], &ticks[2], &ticks[3]) != 4)
        ticks[0] = 0;
    if (stream)
        fclose(stream);
    getrusage(RUSAGE_SELF, &own);
    return (double)(ticks[0] + ticks[1] + ticks[2] + ticks[3]) * 1e6 /
               (double)sysconf(_SC_CLK_TCK) +
           (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) * 1e6 +
           (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec);
}

static void measure(unsigned in_flight, double seconds)
{
    struct round *rounds = heel_xcalloc(in_flight, sizeof *rounds);
    uint64_t begun = uv_hrtime();
    unsigned first = bench.serial;
    double cpu = cpu_us();

    bench.until = begun + (uint64_t)(seconds * 1e9);
    bench.in_flight = in_flight;
    for (unsigned i = 0; i < in_flight; i++)
        begin(&rounds[i]);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    printf("%u in flight: %.0f sandboxes/s, %.0f µs CPU each\n", in_flight,
           (bench.serial - first) / ((double)(uv_hrtime() - begun) / 1e9),
           (cpu_us() - cpu) / (bench.serial - first));
    print("create", &bench.create);
    print("run /bin/true", &bench.run);
    print("destroy", &bench.destroy);
    print("all three", &bench.whole);
    free(rounds);
}

/* Commands in one sandbox that stays. */
static struct heel_sandbox *lasting;

static void on_lasting(struct heel_sandbox *sandbox, const struct heel_error *error, void *data)
{
    (void)error;
    (void)data;
    lasting = sandbox;
    uv_stop(&bench.loop);
}

static void on_lasting_exit(struct heel_process *process, const struct heel_exit *how, void *data)
{
    (void)process;
    (void)how;
    (void)data;
    uv_stop(&bench.loop);
}

static void on_lasting_deleted(const struct heel_sandbox_end *end, void *data)
{
    (void)end;
    (void)data;
    uv_stop(&bench.loop);
}

static void measure_commands(int count)
{
    static const struct heel_process_events quiet = {on_started, on_lasting_exit};
    struct heel_sandbox_spec spec = {
        .id = "lasting", .level = HEEL_LEVEL_DEFAULT, .caller = {geteuid(), getegid(), NULL, 0}};

    heel_backend_create(bench.backend, &spec, on_lasting, on_lost, NULL);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    for (int i = 0; i < count; i++) {
        uint64_t begun = uv_hrtime();
        struct heel_process *process;
        struct heel_stdio stdio;

        heel_process_start(lasting, &command, false, &quiet, NULL, &process, &stdio, NULL);
        uv_run(&bench.loop, UV_RUN_DEFAULT);
        add(&bench.run, begun, uv_hrtime());
        close(stdio.out);
        close(stdio.err);
    }
    heel_sandbox_destroy(lasting, on_lasting_deleted, NULL);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
}

static void measure_floor(int count)
{
    for (int i = 0; i < count; i++) {
        uint64_t begun = uv_hrtime();
        pid_t pid;

        if (posix_spawn(&pid, "/bin/true", NULL, NULL, (char **)(uintptr_t)argv,
                        (char **)(uintptr_t)environment))
            exit(1);
        waitpid(pid, NULL, 0);
        add(&bench.run, begun, uv_hrtime());
    }
    print("posix_spawn /bin/true", &bench.run);
}

int main(int argc, char **arguments)
{
    double seconds = argc > 1 ? atof(arguments[1]) : 3;
    unsigned in_flight = argc > 2 ? (unsigned)atoi(arguments[2]) : 16;
    char state[] = "/tmp/heel-bench-XXXXXX";
    struct heel_backend_options options = {
        .state_dir = mkdtemp(state), .uid_first = 600000, .uid_count = 10000};
    struct heel_launcher launcher;
    heel_autoerror struct heel_error *error = NULL;

    measure_floor(1000);
    if (heel_launcher_start(&options, &launcher, &error) || uv_loop_init(&bench.loop) ||
        !(bench.backend = heel_backend_open(&bench.loop, &options, &launcher, &error))) {
        fprintf(stderr, "%s\n", error ? error->message : "no loop");
        return 1;
    }
    bench.launcher = launcher.pid;
    measure_commands(1000);
    print("in one sandbox", &bench.run);
    measure(1, seconds);
    measure(in_flight, seconds);
    heel_backend_close(bench.backend, on_closed, NULL);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    return 0;
}
