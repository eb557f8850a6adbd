/* Reading what a command wrote long ago: Attach from offset 0, against reading as much from a pipe.
 */
#include "base/text.h"
#include "tests/bench/bench.h"

#define KEPT_BYTES ((uint64_t)64 << 20)
#define PROCESS_ID "written"
#define START_TIMEOUT_MS 30000

static const struct grpcc_call_options call_options = {.timeout_ms = START_TIMEOUT_MS};

struct replay {
    struct grpcc_channel *channel;
    char *id; /* the sandbox */
};

/* One Attach on its way to the end. */
struct reading {
    struct grpcc_status *status; /* owned */
    uint64_t received;
    bool exited;
    bool over;
};

/* ---- through heel ---- */

static void read_next(struct grpcc_stream *stream);

static void on_response(struct grpcc_stream *stream, const Heel__V1__AttachResponse *response,
                        void *data)
{
    struct reading *reading = data;

    if (!response)
        return;
    if (response->message_case == HEEL__V1__ATTACH_RESPONSE__MESSAGE_STDOUT)
        reading->received += response->stdout->data.len;
    reading->exited |= response->message_case == HEEL__V1__ATTACH_RESPONSE__MESSAGE_EXITED;
    read_next(stream);
}

static void read_next(struct grpcc_stream *stream)
{
    heel_v1_sandbox_service_attach_read_response(stream, on_response);
}

static void on_status(struct grpcc_stream *stream, const struct grpcc_status *status, void *data)
{
    struct reading *reading = data;

    (void)stream;
    reading->over = true;
    if (status->code != HEEL_OK)
        reading->status = grpcc_status_new(status->code, status->message);
}

static void write_start(struct grpcc_stream *stream, const struct replay *replay)
{
    char process_id[] = PROCESS_ID;
    Heel__V1__AttachRequest request = HEEL__V1__ATTACH_REQUEST__INIT;
    Heel__V1__AttachStart start = HEEL__V1__ATTACH_START__INIT;

    start.sandbox_id = replay->id;
    start.process_id = process_id;
    request.message_case = HEEL__V1__ATTACH_REQUEST__MESSAGE_START;
    request.start = &start;
    heel_v1_sandbox_service_attach_write_request(stream, &request, NULL);
}

static int check(struct reading *reading, struct heel_error **err)
{
    if (reading->status)
        return client_failed("Attach", heel_steal(reading->status), err);
    if (reading->exited && reading->received == KEPT_BYTES)
        return 0;
    return bench_bytes_missing(reading->received, KEPT_BYTES, err);
}

static int attach(void *data, struct heel_error **err)
{
    const struct replay *replay = data;
    struct grpcc_queue *queue = grpcc_queue_new(NULL);
    struct reading reading = {0};
    struct grpcc_stream *stream =
        heel_v1_sandbox_service_attach_open(replay->channel, queue, NULL, on_status, &reading);

    write_start(stream, replay);
    read_next(stream);
    while (!reading.over)
        grpcc_queue_poll(queue, -1);
    grpcc_queue_free(queue);
    return check(&reading, err);
}

/* ---- what is read ---- */

static int start_writing(const struct replay *replay, struct heel_error **err)
{
    char process_id[] = PROCESS_ID, program[] = "head", option[] = "-c", zero[] = "/dev/zero";
    heel_autofree char *bytes = heel_format("%llu", (unsigned long long)KEPT_BYTES);
    char *argv[] = {program, option, bytes, zero};
    Heel__V1__StartProcessRequest request = HEEL__V1__START_PROCESS_REQUEST__INIT;
    Heel__V1__Command command = HEEL__V1__COMMAND__INIT;
    Heel__V1__OutputPolicy output = HEEL__V1__OUTPUT_POLICY__INIT;
    Heel__V1__StartProcessResponse *response;
    struct grpcc_status *status;

    output.ring_bytes = KEPT_BYTES;
    command.process_id = process_id;
    command.argv = argv;
    command.n_argv = HEEL_ARRAY_LENGTH(argv);
    command.output = &output;
    request.sandbox_id = replay->id;
    request.command = &command;
    if (heel_v1_sandbox_service_start_process(replay->channel, &request, &call_options, &response,
                                              &status) < 0)
        return client_failed("StartProcess", status, err);
    heel__v1__start_process_response__free_unpacked(response, NULL);
    return 0;
}

static int wait_until_written(const struct replay *replay, struct heel_error **err)
{
    char process_id[] = PROCESS_ID;
    Heel__V1__WaitProcessRequest request = HEEL__V1__WAIT_PROCESS_REQUEST__INIT;
    Heel__V1__WaitProcessResponse *response;
    struct grpcc_status *status;

    request.sandbox_id = replay->id;
    request.process_id = process_id;
    if (heel_v1_sandbox_service_wait_process(replay->channel, &request, &call_options, &response,
                                             &status) < 0)
        return client_failed("WaitProcess", status, err);
    heel__v1__wait_process_response__free_unpacked(response, NULL);
    return 0;
}

/* ---- the measurement ---- */

static int read_pipe(void *data, struct heel_error **err)
{
    (void)data;
    return bench_read_pipe(KEPT_BYTES, err);
}

static int compare(struct bench *bench, const struct measurement *self, struct replay *replay,
                   struct heel_error **err)
{
    struct contestant contestants[] = {
        {.name = "Attach", .once = attach, .data = replay},
        {.name = "a pipe", .once = read_pipe},
    };
    int result;

    if (start_writing(replay, err) < 0 || wait_until_written(replay, err) < 0)
        return -1;
    result = contest_run(contestants, 2, bench_count(bench, 30, 3), 1, err);
    if (result == 0)
        bench_add_speed(bench, self, 0, &contestants[0], &contestants[1], KEPT_BYTES);
    contest_clear(contestants, 2);
    return result;
}

static int run(struct bench *bench, const struct measurement *self, struct heel_error **err)
{
    autochannel struct grpcc_channel *channel = bench_connect(bench, err);
    heel_autofree char *id = NULL;
    struct replay replay = {.channel = channel};

    if (!channel || client_create(channel, &id, err) < 0)
        return -1;
    replay.id = id;
    return compare(bench, self, &replay, err) < 0 ? -1 : client_delete(channel, id, err);
}

const struct measurement measure_replay = {
    .name = "replay",
    .targets = {{"Attach to 64 MiB that were kept, and all of it", "MB/s", TARGET_NONE, 0}},
    .run = run,
};
