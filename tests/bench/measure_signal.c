/* How soon a client hears of the end of a command to which it sends a signal: on the command's own
 * stream, and among the events; against kill and waitpid of a child. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/text.h"
#include "tests/bench/bench.h"
#include "tests/bench/child.h"
#include "tests/bench/exec_stream.h"

#define MICROSECONDS 1e3 /* of a millisecond */

enum { STREAM, EVENT, SIDES };

/* The events of one sandbox, read on. */
struct watch {
    struct grpcc_stream *stream;
    const char *awaited; /* borrowed; a process's id, NULL once it is over */
    bool started;
    bool over;
};

struct race {
    struct grpcc_channel *channel;
    const char *id;
    struct grpcc_queue *queue; /* owned; of everything below */
    struct watch watch;
    struct samples heel[SIDES]; /* in microseconds */
    struct samples child;
};

/* ---- events ---- */

static void on_event(struct grpcc_stream *stream, const Heel__V1__WatchEventsResponse *response,
                     void *data)
{
    struct watch *watch = data;

    if (!response)
        return;
    watch->started = true;
    if (response->message_case == HEEL__V1__WATCH_EVENTS_RESPONSE__MESSAGE_EVENT &&
        response->event->payload_case == HEEL__V1__EVENT__PAYLOAD_PROCESS_EXITED &&
        watch->awaited && strcmp(response->event->process_exited->process_id, watch->awaited) == 0)
        watch->awaited = NULL;
    heel_v1_sandbox_service_watch_events_read_response(stream, on_event);
}

static void on_status(struct grpcc_stream *stream, const struct grpcc_status *status, void *data)
{
    struct watch *watch = data;

    (void)stream;
    (void)status;
    watch->over = true;
}

static int start_watch(struct race *race, struct heel_error **err)
{
    Heel__V1__WatchEventsRequest request = HEEL__V1__WATCH_EVENTS_REQUEST__INIT;
    Heel__V1__EventKind kinds[] = {HEEL__V1__EVENT_KIND__EVENT_KIND_PROCESS_EXITED};

    request.sandbox_id = (char *)(uintptr_t)race->id;
    request.kinds = kinds;
    request.n_kinds = 1;
    race->watch.stream = heel_v1_sandbox_service_watch_events_open(
        race->channel, race->queue, &request, NULL, on_status, &race->watch);
    heel_v1_sandbox_service_watch_events_read_response(race->watch.stream, on_event);
    while (!race->watch.started && !race->watch.over)
        grpcc_queue_poll(race->queue, -1);
    return race->watch.over ? heel_error_set(err, HEEL_INTERNAL, NULL, "WatchEvents has ended") : 0;
}

static void end_watch(struct race *race)
{
    if (race->watch.stream && !race->watch.over)
        grpcc_stream_cancel(race->watch.stream);
    while (race->watch.stream && !race->watch.over)
        grpcc_queue_poll(race->queue, -1);
}

/* ---- one command ---- */

/* Of SignalProcess. */
struct answer {
    struct grpcc_status *status; /* owned; NULL where the signal was sent */
    bool came;
};

static void on_answer(const Heel__V1__SignalProcessResponse *response,
                      const struct grpcc_status *status, void *data)
{
    struct answer *answer = data;

    (void)response;
    answer->came = true;
    if (status)
        answer->status = grpcc_status_new(status->code, status->message);
}

static void send_signal(struct race *race, const char *process_id, struct answer *answer)
{
    Heel__V1__SignalProcessRequest request = HEEL__V1__SIGNAL_PROCESS_REQUEST__INIT;
    Heel__V1__SendSignal signal = HEEL__V1__SEND_SIGNAL__INIT;

    signal.which_case = HEEL__V1__SEND_SIGNAL__WHICH_SIGNAL;
    signal.signal = SIGTERM;
    request.sandbox_id = (char *)(uintptr_t)race->id;
    request.process_id = (char *)(uintptr_t)process_id;
    request.signal = &signal;
    heel_v1_sandbox_service_signal_process_start(race->channel, race->queue, &request, NULL,
                                                 on_answer, answer);
}

/* Both ways at once: whichever news comes later has not held up the other. */
static int await_end(struct race *race, struct exec_stream *exec, struct answer *answer,
                     struct heel_error **err)
{
    double begin = now_ms();
    bool told[SIDES] = {false};

    while (!told[STREAM] || !told[EVENT] || !answer->came) {
        grpcc_queue_poll(race->queue, -1);
        if (answer->status)
            return client_failed("SignalProcess", heel_steal(answer->status), err);
        if (race->watch.over)
            return heel_error_set(err, HEEL_INTERNAL, NULL, "WatchEvents has ended");
        if (!told[STREAM] && exec_stream_is_done(exec)) {
            told[STREAM] = true;
            samples_add(&race->heel[STREAM], (now_ms() - begin) * MICROSECONDS);
        }
        if (!told[EVENT] && !race->watch.awaited) {
            told[EVENT] = true;
            samples_add(&race->heel[EVENT], (now_ms() - begin) * MICROSECONDS);
        }
    }
    return 0;
}

static int end_command(struct race *race, struct heel_error **err)
{
    static const char *const argv[] = {"sleep", "infinity"};
    const struct exec_command command = {
        .sandbox_id = race->id, .argv = argv, .count = 2, .keep_stdin = true};
    autoexec struct exec_stream *exec = exec_stream_open(race->channel, race->queue, &command);
    struct answer answer = {0};

    if (exec_stream_start(exec, err) < 0)
        return -1;
    exec_stream_want(exec, UINT64_MAX);
    race->watch.awaited = exec_stream_process_id(exec);
    send_signal(race, race->watch.awaited, &answer);
    return await_end(race, exec, &answer, err);
}

static int end_child(struct race *race, struct heel_error **err)
{
    static const char *const argv[] = {"/bin/sleep", "infinity", NULL};
    double begin;
    pid_t pid;

    if (child_spawn(argv, NULL, -1, &pid, err) < 0)
        return -1;
    begin = now_ms();
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    samples_add(&race->child, (now_ms() - begin) * MICROSECONDS);
    return 0;
}

/* ---- the measurement ---- */

static void add_rows(struct bench *bench, const struct measurement *self, struct race *race)
{
    for (size_t side = 0; side < SIDES; side++) {
        struct result result = {
            .target = &self->targets[side],
            .spread_unit = "us",
            .own = samples_spread(&race->heel[side]),
            .against = "kill + waitpid of a child",
            .base = samples_spread(&race->child),
        };

        result.value = result.own.p50;
        report_add(bench->report, self->name, result);
    }
}

static int run_race(struct bench *bench, const struct measurement *self, struct race *race,
                    struct heel_error **err)
{
    if (start_watch(race, err) < 0)
        return -1;
    for (size_t i = 0; i < bench_count(bench, 1000, 50); i++)
        if (end_command(race, err) < 0 || end_child(race, err) < 0)
            return -1;
    add_rows(bench, self, race);
    return 0;
}

static int run(struct bench *bench, const struct measurement *self, struct heel_error **err)
{
    autochannel struct grpcc_channel *channel = bench_connect(bench, err);
    heel_autofree char *id = NULL;
    struct race race = {.channel = channel};
    int result;

    if (!channel || client_create(channel, &id, err) < 0)
        return -1;
    race.id = id;
    race.queue = grpcc_queue_new(NULL);
    result = run_race(bench, self, &race, err);
    end_watch(&race);
    grpcc_queue_free(race.queue);
    for (size_t side = 0; side < SIDES; side++)
        samples_free(&race.heel[side]);
    samples_free(&race.child);
    return result < 0 ? -1 : client_delete(channel, id, err);
}

const struct measurement measure_signal = {
    .name = "signal",
    .targets =
        {
            [STREAM] = {"SignalProcess to exited on Exec's stream", "us", TARGET_NONE, 0},
            [EVENT] = {"SignalProcess to the event of the exit", "us", TARGET_NONE, 0},
        },
    .run = run,
};
