#include "clients/c/tests/fake_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/text.h"
#include "heel/v1/sandbox.grpc-c.h"
#include "proto/runtime/grpcc.h"

#define CHUNK_BYTES ((size_t)64 << 10)
#define CONNECTIONS_MAX 16

struct fake_server {
    pthread_t thread;
    int listener;
    int connections[CONNECTIONS_MAX]; /* duplicates, to cut them */
    size_t connection_count;
    int wake; /* eventfd: gRPC has something, or `stopping` was set */
    atomic_bool stopping;
    bool drained;
    struct grpcc_queue *queue;
    struct grpcc_server *server;
    atomic_uint cancelled;
    atomic_ullong chunks_sent;
};

/* ---- unary calls ---- */

static void get_server_info(struct grpcc_unary *call, const Heel__V1__GetServerInfoRequest *request,
                            void *service)
{
    Heel__V1__Enforcement row = HEEL__V1__ENFORCEMENT__INIT, *rows[] = {&row};
    Heel__V1__GetServerInfoResponse response = HEEL__V1__GET_SERVER_INFO_RESPONSE__INIT;
    char *features[] = {"fake"};

    (void)request;
    (void)service;
    row.protection = HEEL__V1__PROTECTION__PROTECTION_NETWORK;
    row.state = HEEL__V1__ENFORCEMENT_STATE__ENFORCEMENT_STATE_DEGRADED;
    row.mechanism = "none";
    row.detail = "it is fake";
    response.version = "9.9.9";
    response.backend = "fake";
    response.n_protections = 1;
    response.protections = rows;
    response.n_features = 1;
    response.features = features;
    grpcc_reply(call, &response.base);
}

/* The spec comes back as it was. */
static void create_sandbox(struct grpcc_unary *call, const Heel__V1__CreateSandboxRequest *request,
                           void *service)
{
    Heel__V1__CreateSandboxResponse response = HEEL__V1__CREATE_SANDBOX_RESPONSE__INIT;
    Heel__V1__Sandbox sandbox = HEEL__V1__SANDBOX__INIT;

    (void)service;
    sandbox.sandbox_id = *request->sandbox_id ? request->sandbox_id : "made-up";
    sandbox.state = HEEL__V1__SANDBOX_STATE__SANDBOX_STATE_READY;
    sandbox.effective_spec = request->spec;
    sandbox.working_dir = "/work";
    response.sandbox = &sandbox;
    grpcc_reply(call, &response.base);
}

static struct grpcc_status *not_found(const char *id)
{
    struct grpcc_status *status = grpcc_status_new(5, "there is no such sandbox");

    grpcc_status_set_info(status, "heel.v1", "SANDBOX_NOT_FOUND");
    grpcc_status_add_metadata(status, "sandbox_id", id);
    grpcc_status_add_field(status, "sandbox_id", "unknown");
    grpcc_status_set_retry(status, 1500);
    return status;
}

static void get_sandbox(struct grpcc_unary *call, const Heel__V1__GetSandboxRequest *request,
                        void *service)
{
    (void)service;
    grpcc_fail(call, not_found(request->sandbox_id));
}

/* Two pages of one sandbox each. */
static void list_sandboxes(struct grpcc_unary *call, const Heel__V1__ListSandboxesRequest *request,
                           void *service)
{
    Heel__V1__ListSandboxesResponse response = HEEL__V1__LIST_SANDBOXES_RESPONSE__INIT;
    Heel__V1__Sandbox sandbox = HEEL__V1__SANDBOX__INIT, *sandboxes[] = {&sandbox};

    (void)service;
    sandbox.sandbox_id = *request->page_token ? "second" : "first";
    response.n_sandboxes = 1;
    response.sandboxes = sandboxes;
    response.next_page_token = *request->page_token ? "" : "more";
    grpcc_reply(call, &response.base);
}

static void update_sandbox(struct grpcc_unary *call, const Heel__V1__UpdateSandboxRequest *request,
                           void *service)
{
    Heel__V1__UpdateSandboxResponse response = HEEL__V1__UPDATE_SANDBOX_RESPONSE__INIT;
    Heel__V1__Sandbox sandbox = HEEL__V1__SANDBOX__INIT;

    (void)service;
    sandbox.sandbox_id = request->sandbox_id;
    sandbox.home_dir = request->update_mask->n_paths ? request->update_mask->paths[0] : "";
    response.sandbox = &sandbox;
    grpcc_reply(call, &response.base);
}

static void delete_sandbox(struct grpcc_unary *call, const Heel__V1__DeleteSandboxRequest *request,
                           void *service)
{
    Heel__V1__DeleteSandboxResponse response = HEEL__V1__DELETE_SANDBOX_RESPONSE__INIT;

    (void)service;
    response.kept_working_dir = request->allow_missing ? "/kept" : "";
    grpcc_reply(call, &response.base);
}

/* argv[0] "hang" is never answered but by its cancellation; anything else gets its stdin back. */
static void give_up(struct grpcc_unary *call, void *data)
{
    struct fake_server *server = data;

    atomic_fetch_add(&server->cancelled, 1);
    grpcc_fail(call, grpcc_status_new(1, "cancelled"));
}

static void run_command(struct grpcc_unary *call, const Heel__V1__RunCommandRequest *request,
                        void *service)
{
    Heel__V1__RunCommandResponse response = HEEL__V1__RUN_COMMAND_RESPONSE__INIT;
    Heel__V1__ExitStatus status = HEEL__V1__EXIT_STATUS__INIT;

    if (strcmp(request->command->argv[0], "hang") == 0) {
        grpcc_unary_on_cancel(call, give_up, service);
        return;
    }
    status.outcome_case = HEEL__V1__EXIT_STATUS__OUTCOME_SIGNAL;
    status.signal = 9;
    status.reason = HEEL__V1__EXIT_REASON__EXIT_REASON_TIMEOUT;
    status.message = "too long";
    response.status = &status;
    response.stdout = request->command->stdin;
    response.stderr_truncated = true;
    grpcc_reply(call, &response.base);
}

/* ---- Exec ---- */

struct play {
    struct fake_server *server;
    const char *name;
    unsigned left; /* chunks to send */
    uint64_t taken;
    bool finished;
    bool acknowledge; /* a StdinTaken is due after the write of what it was */
};

static void read_next(struct grpcc_stream *stream);
static void flood(struct grpcc_stream *stream, struct play *play);

static void on_done(struct grpcc_stream *stream, void *data)
{
    (void)stream;
    free(data);
}

static void finish(struct grpcc_stream *stream, struct play *play, struct grpcc_status *status)
{
    if (play->finished) {
        grpcc_status_free(status);
        return;
    }
    play->finished = true;
    grpcc_stream_finish(stream, status, on_done);
}

static void end_after(struct grpcc_stream *stream, bool ok, void *data)
{
    (void)ok;
    finish(stream, data, NULL);
}

static void end(struct grpcc_stream *stream, bool signaled, int number)
{
    Heel__V1__ExecResponse response = HEEL__V1__EXEC_RESPONSE__INIT;
    Heel__V1__ProcessExited exited = HEEL__V1__PROCESS_EXITED__INIT;
    Heel__V1__ExitStatus status = HEEL__V1__EXIT_STATUS__INIT;

    status.outcome_case =
        signaled ? HEEL__V1__EXIT_STATUS__OUTCOME_SIGNAL : HEEL__V1__EXIT_STATUS__OUTCOME_CODE;
    status.code = number;
    status.reason = signaled ? HEEL__V1__EXIT_REASON__EXIT_REASON_SIGNALED
                             : HEEL__V1__EXIT_REASON__EXIT_REASON_EXITED;
    exited.status = &status;
    response.message_case = HEEL__V1__EXEC_RESPONSE__MESSAGE_EXITED;
    response.exited = &exited;
    heel_v1_sandbox_service_exec_write_response(stream, &response, end_after);
}

static void write_chunk(struct grpcc_stream *stream, const void *bytes, size_t length,
                        grpcc_on_written *on_written)
{
    Heel__V1__ExecResponse response = HEEL__V1__EXEC_RESPONSE__INIT;
    Heel__V1__OutputChunk chunk = HEEL__V1__OUTPUT_CHUNK__INIT;

    chunk.data.data = (uint8_t *)(uintptr_t)bytes;
    chunk.data.len = length;
    response.message_case = HEEL__V1__EXEC_RESPONSE__MESSAGE_STDOUT;
    response.stdout = &chunk;
    heel_v1_sandbox_service_exec_write_response(stream, &response, on_written);
}

/* The client gave up. A write that fails, or a read that ends, may tell of it before on_cancel
 * does, and that isn't run any more after finish(). */
static void count_abandoned(struct grpcc_stream *stream, struct play *play)
{
    if (!play->finished)
        atomic_fetch_add(&play->server->cancelled, 1);
    finish(stream, play, NULL);
}

static void on_chunk_written(struct grpcc_stream *stream, bool ok, void *data)
{
    struct play *play = data;

    if (!ok)
        return count_abandoned(stream, play);
    atomic_fetch_add(&play->server->chunks_sent, 1);
    flood(stream, play);
}

static void flood(struct grpcc_stream *stream, struct play *play)
{
    static const char zeroes[CHUNK_BYTES];

    if (play->left-- == 0)
        return end(stream, false, 0);
    write_chunk(stream, zeroes, sizeof(zeroes), on_chunk_written);
}

static void on_acknowledged(struct grpcc_stream *stream, bool ok, void *data)
{
    (void)ok;
    (void)data;
    read_next(stream);
}

static void on_echoed(struct grpcc_stream *stream, bool ok, void *data)
{
    Heel__V1__ExecResponse response = HEEL__V1__EXEC_RESPONSE__INIT;
    Heel__V1__StdinTaken taken = HEEL__V1__STDIN_TAKEN__INIT;
    struct play *play = data;

    if (!ok)
        return count_abandoned(stream, play);
    taken.offset = play->taken;
    response.message_case = HEEL__V1__EXEC_RESPONSE__MESSAGE_STDIN_TAKEN;
    response.stdin_taken = &taken;
    heel_v1_sandbox_service_exec_write_response(stream, &response, on_acknowledged);
}

static void on_input(struct grpcc_stream *stream, const Heel__V1__ExecRequest *request,
                     struct play *play)
{
    play->taken += request->stdin.len;
    if (strcmp(play->name, "echo") == 0)
        write_chunk(stream, request->stdin.data, request->stdin.len, on_echoed);
    else
        read_next(stream); /* deaf: read off the wire, and never said to be taken */
}

static void on_request(struct grpcc_stream *stream, const Heel__V1__ExecRequest *request,
                       void *data)
{
    struct play *play = data;

    if (!request && grpcc_call_is_cancelled(grpcc_stream_call(stream)))
        count_abandoned(stream, play);
    else if (!request || play->finished)
        return;
    else if (request->message_case == HEEL__V1__EXEC_REQUEST__MESSAGE_STDIN)
        on_input(stream, request, play);
    else if (request->message_case == HEEL__V1__EXEC_REQUEST__MESSAGE_SIGNAL)
        end(stream, true, request->signal->signal);
    else if (strcmp(play->name, "echo") == 0)
        end(stream, false, 7);
    else
        read_next(stream);
}

static void read_next(struct grpcc_stream *stream)
{
    heel_v1_sandbox_service_exec_read_request(stream, on_request);
}

static void cut_connections(struct fake_server *server)
{
    while (server->connection_count) {
        shutdown(server->connections[--server->connection_count], SHUT_RDWR);
        close(server->connections[server->connection_count]);
    }
}

static void on_started(struct grpcc_stream *stream, bool ok, void *data)
{
    struct play *play = data;

    if (!ok)
        finish(stream, play, NULL);
    else if (strcmp(play->name, "flood") == 0)
        flood(stream, play);
    else
        read_next(stream);
}

/* The names of the parts; play->name has to outlive the request. */
static const char *part_of(const char *name)
{
    static const char *const parts[] = {"echo", "flood", "deaf", "lose", "refuse", "silent"};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(parts); i++)
        if (strcmp(parts[i], name) == 0)
            return parts[i];
    return "silent";
}

static void on_start(struct grpcc_stream *stream, const Heel__V1__ExecRequest *request, void *data)
{
    Heel__V1__ExecResponse response = HEEL__V1__EXEC_RESPONSE__INIT;
    Heel__V1__ProcessStarted started = HEEL__V1__PROCESS_STARTED__INIT;
    struct play *play = data;

    if (!request)
        return finish(stream, play, NULL);
    play->name = part_of(request->start->command->argv[0]);
    if (request->start->command->n_argv > 1)
        play->left = (unsigned)atoi(request->start->command->argv[1]);
    if (strcmp(play->name, "lose") == 0)
        return cut_connections(play->server);
    if (strcmp(play->name, "refuse") == 0)
        return finish(stream, play, not_found("x"));
    started.process_id = "p1";
    started.sandbox_id = request->start->target_case == HEEL__V1__EXEC_START__TARGET_SANDBOX_ID
                             ? request->start->sandbox_id
                             : "s1";
    response.message_case = HEEL__V1__EXEC_RESPONSE__MESSAGE_STARTED;
    response.started = &started;
    heel_v1_sandbox_service_exec_write_response(stream, &response, on_started);
}

static void on_cancel(struct grpcc_stream *stream, void *data)
{
    count_abandoned(stream, data);
}

static void exec(struct grpcc_stream *stream, void *service)
{
    struct play *play = heel_xcalloc(1, sizeof(*play));

    play->server = service;
    play->name = "silent";
    grpcc_stream_set_data(stream, play);
    grpcc_stream_on_cancel(stream, on_cancel);
    heel_v1_sandbox_service_exec_read_request(stream, on_start);
}

/* ---- the server ---- */

static const struct heel_v1_sandbox_service_handlers handlers = {
    .get_server_info = get_server_info,
    .create_sandbox = create_sandbox,
    .get_sandbox = get_sandbox,
    .list_sandboxes = list_sandboxes,
    .update_sandbox = update_sandbox,
    .delete_sandbox = delete_sandbox,
    .run_command = run_command,
    .exec = exec,
};

static void wake(void *context)
{
    struct fake_server *server = context;
    uint64_t one = 1;

    if (write(server->wake, &one, sizeof(one)) < 0)
        abort();
}

static void add_connection(struct fake_server *server, int fd)
{
    if (fd < 0 || server->connection_count == CONNECTIONS_MAX)
        abort();
    server->connections[server->connection_count++] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    grpcc_server_add_connection(server->server, fd);
}

static void on_drained(void *context)
{
    ((struct fake_server *)context)->drained = true;
}

static void serve_until(struct fake_server *server, atomic_bool *stop, const bool *over)
{
    struct pollfd watched[] = {{.fd = server->wake, .events = POLLIN},
                               {.fd = server->listener, .events = POLLIN}};
    uint64_t count;

    while (!(stop && atomic_load(stop)) && !(over && *over)) {
        if (poll(watched, 2, -1) < 0)
            continue;
        if (watched[0].revents && read(server->wake, &count, sizeof(count)) > 0)
            grpcc_queue_dispatch(server->queue);
        if (!over && watched[1].revents)
            add_connection(server, accept4(server->listener, NULL, NULL, SOCK_CLOEXEC));
    }
}

static void *serve(void *argument)
{
    struct fake_server *server = argument;

    serve_until(server, &server->stopping, NULL);
    cut_connections(server);
    grpcc_server_drain(server->server, on_drained, server);
    grpcc_server_cancel_all(server->server);
    serve_until(server, NULL, &server->drained);
    grpcc_server_free(server->server);
    grpcc_queue_free(server->queue);
    return NULL;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 16)) {
        perror(path);
        abort();
    }
    return fd;
}

struct fake_server *fake_server_start(const char *path, int fd)
{
    struct fake_server *server = heel_xcalloc(1, sizeof(*server));
    const struct grpcc_waker waker = {wake, server};

    grpcc_init();
    server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->listener = path ? listen_at(path) : -1;
    server->queue = grpcc_queue_new(&waker);
    server->server = grpcc_server_new(server->queue, NULL);
    heel_v1_sandbox_service_register(server->server, &handlers, server);
    grpcc_server_start(server->server);
    if (!path)
        add_connection(server, fd);
    pthread_create(&server->thread, NULL, serve, server);
    return server;
}

void fake_server_stop(struct fake_server *server)
{
    atomic_store(&server->stopping, true);
    wake(server);
    pthread_join(server->thread, NULL);
    heel_cleanup_close(&server->listener);
    close(server->wake);
    free(server);
    grpcc_shutdown();
}

unsigned fake_server_cancelled(const struct fake_server *server)
{
    return atomic_load(&server->cancelled);
}

unsigned long long fake_server_chunks_sent(const struct fake_server *server)
{
    return atomic_load(&server->chunks_sent);
}
