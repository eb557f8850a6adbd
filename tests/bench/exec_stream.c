#include "tests/bench/exec_stream.h"

#include "base/text.h"

/* What the contract lets a client keep in flight, and what libheel sends at once. */
#define WINDOW_BYTES ((uint64_t)1 << 20)
#define REQUEST_BYTES ((uint64_t)128 << 10)

struct exec_stream {
    struct grpcc_queue *queue;     /* borrowed */
    struct grpcc_queue *own_queue; /* owned; the same, or NULL */
    struct grpcc_stream *stream;
    struct grpcc_status *status; /* owned; why it failed */
    char *process_id;            /* owned */
    uint64_t stdin_left;
    uint64_t sent;
    uint64_t taken;
    uint64_t received;
    uint64_t wanted;
    bool writing;
    bool reading;
    bool keep_stdin;
    bool closed_stdin;
    bool exited;
    bool failed; /* the command, with another exit status than 0 */
    bool over;
};

static void write_next(struct exec_stream *exec);
static void read_next(struct exec_stream *exec);

static void on_written(struct grpcc_stream *stream, bool ok, void *data)
{
    struct exec_stream *exec = data;

    (void)stream;
    exec->writing = false;
    if (ok)
        write_next(exec);
}

static void write_request(struct exec_stream *exec, const Heel__V1__ExecRequest *request)
{
    exec->writing = true;
    heel_v1_sandbox_service_exec_write_request(exec->stream, request, on_written);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void write_stdin(struct exec_stream *exec)
{
    static uint8_t zeroes[REQUEST_BYTES];
    Heel__V1__ExecRequest request = HEEL__V1__EXEC_REQUEST__INIT;
    uint64_t room = WINDOW_BYTES - (exec->sent - exec->taken);

    request.message_case = HEEL__V1__EXEC_REQUEST__MESSAGE_STDIN;
    request.stdin.data = zeroes;
    request.stdin.len = least(least(exec->stdin_left, room), REQUEST_BYTES);
    exec->stdin_left -= request.stdin.len;
    exec->sent += request.stdin.len;
    write_request(exec, &request);
}

static void close_stdin(struct exec_stream *exec)
{
    Heel__V1__ExecRequest request = HEEL__V1__EXEC_REQUEST__INIT;
    Heel__V1__CloseStdin close = HEEL__V1__CLOSE_STDIN__INIT;

    exec->closed_stdin = true;
    request.message_case = HEEL__V1__EXEC_REQUEST__MESSAGE_CLOSE_STDIN;
    request.close_stdin = &close;
    write_request(exec, &request);
}

static void write_next(struct exec_stream *exec)
{
    if (exec->writing || exec->exited || exec->closed_stdin || exec->keep_stdin)
        return;
    if (exec->stdin_left == 0)
        close_stdin(exec);
    else if (exec->sent - exec->taken < WINDOW_BYTES)
        write_stdin(exec);
}

static void take(struct exec_stream *exec, const Heel__V1__ExecResponse *response)
{
    switch (response->message_case) {
    case HEEL__V1__EXEC_RESPONSE__MESSAGE_STARTED:
        exec->process_id = heel_xstrdup(response->started->process_id);
        break;
    case HEEL__V1__EXEC_RESPONSE__MESSAGE_STDOUT:
        exec->received += response->stdout->data.len;
        break;
    case HEEL__V1__EXEC_RESPONSE__MESSAGE_STDIN_TAKEN:
        exec->taken = response->stdin_taken->offset;
        write_next(exec);
        break;
    case HEEL__V1__EXEC_RESPONSE__MESSAGE_EXITED:
        exec->exited = true;
        exec->failed =
            response->exited->status->outcome_case != HEEL__V1__EXIT_STATUS__OUTCOME_CODE ||
            response->exited->status->code != 0;
        break;
    default:
        break;
    }
}

static void on_response(struct grpcc_stream *stream, const Heel__V1__ExecResponse *response,
                        void *data)
{
    struct exec_stream *exec = data;

    (void)stream;
    exec->reading = false;
    if (!response)
        return;
    take(exec, response);
    read_next(exec);
}

/* What was started is told whatever is wanted. */
static bool wants_more(const struct exec_stream *exec)
{
    return !exec->process_id || exec->received < exec->wanted;
}

static void read_next(struct exec_stream *exec)
{
    if (exec->reading || exec->over || !wants_more(exec))
        return;
    exec->reading = true;
    heel_v1_sandbox_service_exec_read_response(exec->stream, on_response);
}

static void on_status(struct grpcc_stream *stream, const struct grpcc_status *status, void *data)
{
    struct exec_stream *exec = data;

    (void)stream;
    exec->over = true;
    if (status->code != HEEL_OK)
        exec->status = grpcc_status_new(status->code, status->message);
}

static void write_start(struct exec_stream *exec, const struct exec_command *what)
{
    Heel__V1__ExecRequest request = HEEL__V1__EXEC_REQUEST__INIT;
    Heel__V1__ExecStart start = HEEL__V1__EXEC_START__INIT;
    Heel__V1__Command command = HEEL__V1__COMMAND__INIT;
    Heel__V1__Terminal terminal = HEEL__V1__TERMINAL__INIT;

    command.argv = (char **)(uintptr_t)what->argv;
    command.n_argv = what->count;
    command.terminal = what->terminal ? &terminal : NULL;
    start.target_case = HEEL__V1__EXEC_START__TARGET_SANDBOX_ID;
    start.sandbox_id = (char *)(uintptr_t)what->sandbox_id;
    start.command = &command;
    request.message_case = HEEL__V1__EXEC_REQUEST__MESSAGE_START;
    request.start = &start;
    write_request(exec, &request);
}

struct exec_stream *exec_stream_open(struct grpcc_channel *channel, struct grpcc_queue *queue,
                                     const struct exec_command *command)
{
    struct exec_stream *exec = heel_xcalloc(1, sizeof *exec);

    exec->own_queue = queue ? NULL : grpcc_queue_new(NULL);
    exec->queue = queue ? queue : exec->own_queue;
    exec->stdin_left = command->stdin_bytes;
    exec->keep_stdin = command->keep_stdin;
    exec->stream = heel_v1_sandbox_service_exec_open(channel, exec->queue, NULL, on_status, exec);
    write_start(exec, command);
    return exec;
}

int exec_stream_start(struct exec_stream *exec, struct heel_error **err)
{
    read_next(exec);
    while (!exec->over && !exec->process_id)
        grpcc_queue_poll(exec->queue, -1);
    return exec->process_id ? 0 : exec_stream_check(exec, err);
}

void exec_stream_want(struct exec_stream *exec, uint64_t bytes)
{
    exec->wanted = bytes;
    read_next(exec);
}

bool exec_stream_is_done(const struct exec_stream *exec)
{
    return exec->over || exec->received >= exec->wanted;
}

int exec_stream_check(struct exec_stream *exec, struct heel_error **err)
{
    if (exec->status)
        return client_failed("Exec", heel_steal(exec->status), err);
    if (exec->over && (exec->failed || !exec->exited || exec->wanted != UINT64_MAX))
        return heel_error_set(err, HEEL_INTERNAL, NULL, "Exec: the command failed or ended early");
    return 0;
}

int exec_stream_read(struct exec_stream *exec, uint64_t bytes, struct heel_error **err)
{
    exec_stream_want(exec, bytes);
    while (!exec_stream_is_done(exec))
        grpcc_queue_poll(exec->queue, -1);
    return exec_stream_check(exec, err);
}

void exec_stream_type(struct exec_stream *exec, const void *bytes, size_t length)
{
    Heel__V1__ExecRequest request = HEEL__V1__EXEC_REQUEST__INIT;

    while (exec->writing && !exec->over)
        grpcc_queue_poll(exec->queue, -1);
    if (exec->over)
        return;
    request.message_case = HEEL__V1__EXEC_REQUEST__MESSAGE_STDIN;
    request.stdin = (ProtobufCBinaryData){length, (uint8_t *)(uintptr_t)bytes};
    write_request(exec, &request);
}

uint64_t exec_stream_received(const struct exec_stream *exec)
{
    return exec->received;
}

const char *exec_stream_process_id(const struct exec_stream *exec)
{
    return exec->process_id;
}

void exec_stream_free(struct exec_stream *exec)
{
    if (!exec)
        return;
    if (!exec->over)
        grpcc_stream_cancel(exec->stream);
    while (!exec->over)
        grpcc_queue_poll(exec->queue, -1);
    grpcc_queue_free(exec->own_queue);
    grpcc_status_free(exec->status);
    free(exec->process_id);
    free(exec);
}
