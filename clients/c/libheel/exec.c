#include "clients/c/libheel/exec.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#include "clients/c/libheel/request.h"
#include "clients/c/libheel/result.h"

/* write(2) and atomics only: run by gRPC's thread, by other threads of the caller's, and by signal
 * handlers. */
static void wake(void *context)
{
    const struct heel_exec *exec = context;
    uint64_t one = 1;
    int saved = errno;

    if (write(exec->wake, &one, sizeof(one)) < 0)
        errno = saved; /* EAGAIN: it is awake already */
    errno = saved;
}

static void start_read(struct heel_exec *exec);

/* ---- writing ---- */

static void on_written(struct grpcc_stream *stream, bool ok, void *data)
{
    struct heel_exec *exec = data;

    (void)stream;
    exec->writing = false;
    if (!ok)
        return; /* on_status says why */
    exec_write_next(exec);
    exec_input_progress(exec);
}

/* A signal that has been asked for, the lowest first; 0 if none is. */
static int take_signal(struct heel_exec *exec)
{
    uint64_t signals = atomic_load(&exec->signals);
    int number;

    if (!signals)
        return 0;
    number = __builtin_ctzll(signals) + 1;
    atomic_fetch_and(&exec->signals, ~((uint64_t)1 << (number - 1)));
    return number;
}

/* Whether the terminal's size has changed. */
static bool take_size(struct heel_exec *exec, Heel__V1__ResizeTerminal *resize)
{
    uint32_t size = atomic_exchange(&exec->size, 0);

    resize->rows = size >> 16;
    resize->columns = size & 0xffff;
    return size > 0;
}

/* The same message for the other RPC: both number the members of their oneof alike. */
static Heel__V1__AttachRequest attach_request(const Heel__V1__ExecRequest *request)
{
    Heel__V1__AttachRequest same = HEEL__V1__ATTACH_REQUEST__INIT;

    same.message_case = (Heel__V1__AttachRequest__MessageCase)request->message_case;
    if (request->message_case == HEEL__V1__EXEC_REQUEST__MESSAGE_STDIN)
        same.stdin = request->stdin;
    else
        same.signal = request->signal; /* or another of the union's pointers */
    return same;
}

static void write_request(struct heel_exec *exec, const Heel__V1__ExecRequest *request)
{
    Heel__V1__AttachRequest same;

    exec->writing = true;
    if (!exec->attached) {
        heel_v1_sandbox_service_exec_write_request(exec->stream, request, on_written);
        return;
    }
    same = attach_request(request);
    heel_v1_sandbox_service_attach_write_request(exec->stream, &same, on_written);
}

void exec_write_next(struct heel_exec *exec)
{
    Heel__V1__ExecRequest request = HEEL__V1__EXEC_REQUEST__INIT;
    Heel__V1__SendSignal signal = HEEL__V1__SEND_SIGNAL__INIT;
    Heel__V1__ResizeTerminal resize = HEEL__V1__RESIZE_TERMINAL__INIT;

    if (exec->writing || exec->over || exec->exited)
        return;
    signal.which_case = HEEL__V1__SEND_SIGNAL__WHICH_SIGNAL;
    signal.signal = take_signal(exec);
    if (signal.signal) {
        request.message_case = HEEL__V1__EXEC_REQUEST__MESSAGE_SIGNAL;
        request.signal = &signal;
    } else if (take_size(exec, &resize)) {
        request.message_case = HEEL__V1__EXEC_REQUEST__MESSAGE_RESIZE;
        request.resize = &resize;
    } else if (!exec_input_next(exec, &request)) {
        return;
    }
    write_request(exec, &request);
}

/* ---- reading ---- */

static void on_started(struct heel_exec *exec, const Heel__V1__ExecResponse *response)
{
    if (exec->events.on_started)
        exec->events.on_started(exec, response->started->process_id, response->started->sandbox_id,
                                exec->data);
}

static void on_chunk(struct heel_exec *exec, const Heel__V1__OutputChunk *chunk,
                     void (*callback)(struct heel_exec *exec, struct heel_bytes bytes, void *data))
{
    struct heel_bytes bytes = {chunk->data.data, chunk->data.len};

    if (exec->redirected)
        exec->redirected(exec, bytes, exec->redirected_data);
    else if (callback)
        callback(exec, bytes, exec->data);
}

static void on_stdout(struct heel_exec *exec, const Heel__V1__ExecResponse *response)
{
    on_chunk(exec, response->stdout, exec->events.on_output);
}

static void on_stderr(struct heel_exec *exec, const Heel__V1__ExecResponse *response)
{
    on_chunk(exec, response->stderr, exec->events.on_errors);
}

static void on_stdin_taken(struct heel_exec *exec, const Heel__V1__ExecResponse *response)
{
    exec_input_taken(exec, response->stdin_taken->offset);
}

static void on_exited(struct heel_exec *exec, const Heel__V1__ExecResponse *response)
{
    result_exit_status(response->exited->status, &exec->status);
    result_usage(response->exited->usage, &exec->usage);
    result_denials(&exec->arena, response->exited->denials, response->exited->n_denials,
                   response->exited->denials_truncated, &exec->denials);
    result_acting_files(&exec->arena, response->exited->acting_files, &exec->acting_files);
    exec->status.message = heel_xstrdup(exec->status.message);
    exec->exited = true;
    if (exec->events.on_exited)
        exec->events.on_exited(exec, &exec->status, &exec->usage, exec->data);
}

static void on_gap(struct heel_exec *exec, const Heel__V1__ExecResponse *response)
{
    const Heel__V1__OutputGap *gap = response->gap;

    if (exec->events.on_gap)
        exec->events.on_gap(exec, gap->stream == HEEL__V1__OUTPUT_STREAM__OUTPUT_STREAM_STDERR,
                            gap->from, gap->to, exec->data);
}

/* By the number of the oneof's member; what a newer server may send besides is ignored. */
static void (*const handlers[])(struct heel_exec *exec, const Heel__V1__ExecResponse *response) = {
    [HEEL__V1__EXEC_RESPONSE__MESSAGE_STARTED] = on_started,
    [HEEL__V1__EXEC_RESPONSE__MESSAGE_STDOUT] = on_stdout,
    [HEEL__V1__EXEC_RESPONSE__MESSAGE_STDERR] = on_stderr,
    [HEEL__V1__EXEC_RESPONSE__MESSAGE_EXITED] = on_exited,
    [HEEL__V1__EXEC_RESPONSE__MESSAGE_STDIN_TAKEN] = on_stdin_taken,
    [HEEL__V1__EXEC_RESPONSE__MESSAGE_GAP] = on_gap,
};

static void on_response(struct grpcc_stream *stream, const Heel__V1__ExecResponse *response,
                        void *data)
{
    struct heel_exec *exec = data;
    size_t which = response ? (size_t)response->message_case : 0;

    (void)stream;
    if (!response)
        return; /* on_status follows */
    if (exec->observe)
        exec->observe(response, exec->data);
    if (which < HEEL_ARRAY_LENGTH(handlers) && handlers[which] && !exec->exited)
        handlers[which](exec, response);
    if (exec->held)
        exec->read_wanted = true;
    else
        start_read(exec);
}

static void on_attach_response(struct grpcc_stream *stream,
                               const Heel__V1__AttachResponse *response, void *data)
{
    Heel__V1__ExecResponse same = HEEL__V1__EXEC_RESPONSE__INIT;

    if (response) {
        same.message_case = (Heel__V1__ExecResponse__MessageCase)response->message_case;
        same.started = response->started; /* or another of the union's members, all pointers */
    }
    on_response(stream, response ? &same : NULL, data);
}

static void start_read(struct heel_exec *exec)
{
    if (exec->attached)
        heel_v1_sandbox_service_attach_read_response(exec->stream, on_attach_response);
    else
        heel_v1_sandbox_service_exec_read_response(exec->stream, on_response);
}

static void on_status(struct grpcc_stream *stream, const struct grpcc_status *status, void *data)
{
    struct heel_exec *exec = data;

    (void)stream;
    exec->over = true;
    exec->stream = NULL;
    if (exec->exited)
        return;
    if (status->code)
        error_from_status(&exec->error, status, exec->client->address);
    else
        heel_error_set(&exec->error, HEEL_INTERNAL, NULL,
                       "the server ended the stream without saying how the command did");
    client_release(exec->client, heel_steal(exec->connection), status->code == HEEL_UNAVAILABLE);
}

/* ---- beginning ---- */

static int fill_start(struct arena *arena, struct heel_target target,
                      const struct heel_command *command, Heel__V1__ExecStart *start,
                      struct heel_error **err)
{
    if (request_check_target(target, err))
        return -1;
    start->command = request_command(arena, command, err);
    if (!start->command)
        return -1;
    if (target.sandbox_id) {
        start->target_case = HEEL__V1__EXEC_START__TARGET_SANDBOX_ID;
        start->sandbox_id = request_text(target.sandbox_id);
        return 0;
    }
    start->target_case = HEEL__V1__EXEC_START__TARGET_SPEC;
    start->spec = request_spec(arena, target.spec, err);
    return start->spec ? 0 : -1;
}

static struct heel_exec *new_exec(struct heel_client *client, const struct heel_exec_events *events,
                                  void *data, struct heel_error **err)
{
    struct heel_exec *exec = heel_xcalloc(1, sizeof(*exec));

    exec->client = client;
    exec->data = data;
    exec->forwarded = -1;
    exec->over = true; /* until there is a stream */
    exec->wake = -1;
    if (request_read(&exec->events, sizeof(exec->events), events, "heel_exec_events", err))
        goto fail;
    exec->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (exec->wake < 0) {
        heel_error_set_errno(err, errno, "no descriptor to wait for a command with");
        goto fail;
    }
    exec->connection = client_acquire(client, err);
    if (!exec->connection)
        goto fail;
    return exec;
fail:
    heel_exec_free(exec);
    return NULL;
}

static void make_queue(struct heel_exec *exec)
{
    const struct grpcc_waker waker = {wake, exec};

    exec->queue = grpcc_queue_new(&waker);
    exec->over = false;
}

static void open_stream(struct heel_exec *exec, Heel__V1__ExecStart *start,
                        const struct grpcc_call_options *options)
{
    Heel__V1__ExecRequest request = HEEL__V1__EXEC_REQUEST__INIT;

    request.message_case = HEEL__V1__EXEC_REQUEST__MESSAGE_START;
    request.start = start;
    make_queue(exec);
    exec->stream = heel_v1_sandbox_service_exec_open(exec->connection->channel, exec->queue,
                                                     options, on_status, exec);
    exec->writing = true;
    heel_v1_sandbox_service_exec_write_request(exec->stream, &request, on_written);
    start_read(exec);
}

int heel_exec_start(struct heel_client *client, struct heel_target target,
                    const struct heel_command *command, const struct heel_call *call,
                    const struct heel_exec_events *events, void *data, struct heel_exec **exec,
                    struct heel_error **error)
{
    arena_auto struct arena arena = {0};
    Heel__V1__ExecStart start = HEEL__V1__EXEC_START__INIT;
    struct grpcc_call_options options;
    struct heel_exec *started;

    if (fill_start(&arena, target, command, &start, error) ||
        client_call_options(client, call, &arena, &options, error))
        return -1;
    started = new_exec(client, events, data, error);
    if (!started)
        return -1;
    open_stream(started, &start, &options);
    *exec = started;
    return 0;
}

static void open_attached(struct heel_exec *exec, Heel__V1__AttachStart *start,
                          const struct grpcc_call_options *options)
{
    Heel__V1__AttachRequest request = HEEL__V1__ATTACH_REQUEST__INIT;

    request.message_case = HEEL__V1__ATTACH_REQUEST__MESSAGE_START;
    request.start = start;
    make_queue(exec);
    exec->attached = true;
    exec->stream = heel_v1_sandbox_service_attach_open(exec->connection->channel, exec->queue,
                                                       options, on_status, exec);
    exec->writing = true;
    heel_v1_sandbox_service_attach_write_request(exec->stream, &request, on_written);
    start_read(exec);
}

int heel_exec_attach(struct heel_client *client, const char *sandbox_id, const char *process_id,
                     const struct heel_attach *given, const struct heel_call *call,
                     const struct heel_exec_events *events, void *data, struct heel_exec **exec,
                     struct heel_error **error)
{
    arena_auto struct arena arena = {0};
    Heel__V1__AttachStart start = HEEL__V1__ATTACH_START__INIT;
    struct grpcc_call_options options;
    struct heel_attach attach;
    struct heel_exec *started;

    if (request_read(&attach, sizeof(attach), given, "heel_attach", error) ||
        client_call_options(client, call, &arena, &options, error))
        return -1;
    start.sandbox_id = request_text(sandbox_id);
    start.process_id = request_text(process_id);
    start.stdout_offset = attach.output_offset;
    start.stderr_offset = attach.errors_offset;
    start.required = attach.required;
    start.from_end = attach.from_end;
    started = new_exec(client, events, data, error);
    if (!started)
        return -1;
    open_attached(started, &start, &options);
    *exec = started;
    return 0;
}

void exec_redirect(struct heel_exec *exec,
                   void (*on_output)(struct heel_exec *exec, struct heel_bytes output, void *data),
                   void *data)
{
    exec->redirected = on_output;
    exec->redirected_data = data;
}

void exec_observe(struct heel_exec *exec,
                  void (*observe)(const Heel__V1__ExecResponse *response, void *data))
{
    exec->observe = observe;
}

/* ---- while it runs ---- */

int heel_exec_fd(const struct heel_exec *exec)
{
    return exec->wake;
}

bool heel_exec_dispatch(struct heel_exec *exec)
{
    uint64_t count;

    if (exec->over)
        return false;
    /* Emptied before looking, so that what comes while looking wakes again. */
    if (read(exec->wake, &count, sizeof(count)) < 0 && errno != EAGAIN)
        return true;
    if (atomic_load(&exec->cancelled))
        grpcc_stream_cancel(exec->stream);
    grpcc_queue_dispatch(exec->queue);
    exec_write_next(exec);
    return !exec->over;
}

void heel_exec_hold(struct heel_exec *exec)
{
    exec->held = true;
}

void heel_exec_release(struct heel_exec *exec)
{
    exec->held = false;
    if (exec->read_wanted && !exec->over) {
        exec->read_wanted = false;
        start_read(exec);
    }
}

void heel_exec_signal(struct heel_exec *exec, int signal_number)
{
    if (signal_number < 1 || signal_number > 64)
        return;
    atomic_fetch_or(&exec->signals, (uint64_t)1 << (signal_number - 1));
    wake(exec);
}

void heel_exec_resize(struct heel_exec *exec, unsigned rows, unsigned columns)
{
    if (rows < 1 || rows > 65535 || columns < 1 || columns > 65535)
        return;
    atomic_store(&exec->size, (uint32_t)rows << 16 | (uint32_t)columns);
    wake(exec);
}

void heel_exec_cancel(struct heel_exec *exec)
{
    atomic_store(&exec->cancelled, true);
    wake(exec);
}

/* ---- the end ---- */

/* Without callbacks: whoever frees an exec wants to hear no more of it. */
static void abandon(struct heel_exec *exec)
{
    struct pollfd woken = {.fd = exec->wake, .events = POLLIN};

    memset(&exec->events, 0, sizeof(exec->events));
    exec->observe = NULL;
    heel_exec_cancel(exec);
    heel_exec_release(exec);
    while (heel_exec_dispatch(exec))
        poll(&woken, 1, -1);
}

const struct heel_denials *heel_exec_denials(const struct heel_exec *exec)
{
    return &exec->denials;
}

const struct heel_acting_files *heel_exec_acting_files(const struct heel_exec *exec)
{
    return &exec->acting_files;
}

void heel_exec_free(struct heel_exec *exec)
{
    if (!exec)
        return;
    if (exec->threaded)
        heel_exec_cancel(exec);
    exec_join(exec);
    if (!exec->over)
        abandon(exec);
    grpcc_queue_free(exec->queue);
    if (exec->connection)
        client_release(exec->client, exec->connection, false);
    heel_cleanup_close(&exec->wake);
    heel_buffer_free(&exec->input.pending);
    if (exec->exited)
        free((char *)(uintptr_t)exec->status.message);
    arena_free(&exec->arena);
    heel_error_free(exec->error);
    free(exec);
}
