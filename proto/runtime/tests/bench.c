/* What the runtime costs: a server process with the runtime's thread and a poll() loop, as a daemon
 * has it, and this client on a socket pair. Not a test: run it by hand, built with -c opt. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "proto/runtime/tests/echo_service.h"

enum {
    WARM_UP = 200,
    CALLS = 5000,
    IN_FLIGHT = 16,
    FLIGHT_CALLS = 40000,
    BLOCK = 65536,
    STREAM_BYTES = 1 << 30
};

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static clockid_t server_clock;

/* CPU time of both processes; unlike the time that passes it hardly depends on what else runs. */
static double cpu_us(void)
{
    struct timespec own, server;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    clock_gettime(server_clock, &server);
    return (double)(own.tv_sec + server.tv_sec) * 1e6 +
           (double)(own.tv_nsec + server.tv_nsec) / 1e3;
}

/* ---- server process ---- */

static void wake(void *context)
{
    uint64_t one = 1;

    if (write(*(int *)context, &one, sizeof(one)) != sizeof(one))
        abort();
}

static void serve(int fd)
{
    int event = eventfd(0, EFD_CLOEXEC);
    struct grpcc_waker waker = {wake, &event};
    struct echo_service service = {0};
    struct grpcc_queue *queue;
    struct grpcc_server *server;
    uint64_t count;

    grpcc_init();
    queue = grpcc_queue_new(&waker);
    server = grpcc_server_new(queue, NULL);
    echo_service_register(server, &service);
    grpcc_server_start(server);
    grpcc_server_add_connection(server, fd);
    for (;;) {
        struct pollfd wait = {.fd = event, .events = POLLIN};

        poll(&wait, 1, -1);
        if (read(event, &count, sizeof(count)) == sizeof(count))
            grpcc_queue_dispatch(queue);
    }
}

/* ---- unary ---- */

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static void one_blocking_call(struct grpcc_channel *channel)
{
    Grpcc__Echo__EchoRequest request = GRPCC__ECHO__ECHO_REQUEST__INIT;
    Grpcc__Echo__EchoResponse *response;
    struct grpcc_status *status;

    request.text = (char *)(uintptr_t) "sixteen bytes ok";
    if (grpcc_echo_echo_service_unary(channel, &request, NULL, &response, &status)) {
        fprintf(stderr, "unary: %d %s\n", status->code, status->message);
        exit(1);
    }
    grpcc__echo__echo_response__free_unpacked(response, NULL);
}

static void bench_blocking(struct grpcc_channel *channel)
{
    static double took[CALLS];
    double cpu;

    for (int i = 0; i < WARM_UP; i++)
        one_blocking_call(channel);
    cpu = cpu_us();
    for (int i = 0; i < CALLS; i++) {
        double begin = now_us();

        one_blocking_call(channel);
        took[i] = now_us() - begin;
    }
    cpu = (cpu_us() - cpu) / CALLS;
    qsort(took, CALLS, sizeof(*took), compare_doubles);
    printf("unary, blocking, one at a time: p50 %.1f us, p99 %.1f us, CPU %.1f us\n",
           took[CALLS / 2], took[CALLS * 99 / 100], cpu);
}

struct flight {
    struct grpcc_channel *channel;
    struct grpcc_queue *queue;
    int started;
    int finished;
};

static void start_flight(struct flight *flight);

static void flight_on_reply(const Grpcc__Echo__EchoResponse *response,
                            const struct grpcc_status *status, void *data)
{
    struct flight *flight = data;

    (void)response;
    if (status)
        exit(1);
    flight->finished++;
    if (flight->started < FLIGHT_CALLS)
        start_flight(flight);
}

static void start_flight(struct flight *flight)
{
    Grpcc__Echo__EchoRequest request = GRPCC__ECHO__ECHO_REQUEST__INIT;

    request.text = (char *)(uintptr_t) "sixteen bytes ok";
    flight->started++;
    grpcc_echo_echo_service_unary_start(flight->channel, flight->queue, &request, NULL,
                                        flight_on_reply, flight);
}

static void bench_in_flight(struct grpcc_channel *channel, struct grpcc_queue *queue)
{
    struct flight flight = {.channel = channel, .queue = queue};
    double begin = now_us(), cpu = cpu_us();

    for (int i = 0; i < IN_FLIGHT; i++)
        start_flight(&flight);
    while (flight.finished < FLIGHT_CALLS)
        grpcc_queue_poll(queue, -1);
    printf("unary, %d in flight: %.1f us a call, CPU %.1f us\n", IN_FLIGHT,
           (now_us() - begin) / FLIGHT_CALLS, (cpu_us() - cpu) / FLIGHT_CALLS);
}

/* ---- streams ---- */

struct flow {
    uint64_t bytes;
    unsigned left;
    bool over;
    ProtobufCBinaryData payload;
};

static void flow_on_status(struct grpcc_stream *stream, const struct grpcc_status *status,
                           void *data)
{
    struct flow *flow = data;

    (void)stream;
    if (status->code)
        fprintf(stderr, "stream: %d %s\n", status->code, status->message);
    flow->over = true;
}

static void repeat_on_response(struct grpcc_stream *stream,
                               const Grpcc__Echo__EchoResponse *response, void *data)
{
    struct flow *flow = data;

    if (!response)
        return;
    flow->bytes += response->payload.len;
    grpcc_echo_echo_service_repeat_read_response(stream, repeat_on_response);
}

static void bench_download(struct grpcc_channel *channel, struct grpcc_queue *queue)
{
    static uint8_t block[BLOCK];
    struct flow flow = {0};
    Grpcc__Echo__EchoRequest request = GRPCC__ECHO__ECHO_REQUEST__INIT;
    double begin = now_us(), cpu = cpu_us();
    struct grpcc_stream *stream;

    request.count = STREAM_BYTES / BLOCK;
    request.payload = (ProtobufCBinaryData){BLOCK, block};
    stream =
        grpcc_echo_echo_service_repeat_open(channel, queue, &request, NULL, flow_on_status, &flow);
    grpcc_echo_echo_service_repeat_read_response(stream, repeat_on_response);
    while (!flow.over)
        grpcc_queue_poll(queue, -1);
    printf("server to client, 64 KiB messages: %.0f MB/s, CPU %.1f us each\n",
           (double)flow.bytes / (now_us() - begin), (cpu_us() - cpu) / (STREAM_BYTES / BLOCK));
}

static void collect_write(struct grpcc_stream *stream, struct flow *flow);

static void collect_on_written(struct grpcc_stream *stream, bool ok, void *data)
{
    if (ok)
        collect_write(stream, data);
}

static void collect_write(struct grpcc_stream *stream, struct flow *flow)
{
    Grpcc__Echo__EchoRequest request = GRPCC__ECHO__ECHO_REQUEST__INIT;

    if (!flow->left) {
        grpcc_stream_half_close(stream);
        return;
    }
    flow->left--;
    flow->bytes += flow->payload.len;
    request.payload = flow->payload;
    grpcc_echo_echo_service_collect_write_request(stream, &request, collect_on_written);
}

static void collect_on_response(struct grpcc_stream *stream,
                                const Grpcc__Echo__EchoResponse *response, void *data)
{
    (void)stream;
    (void)response;
    (void)data;
}

static void bench_upload(struct grpcc_channel *channel, struct grpcc_queue *queue)
{
    static uint8_t block[BLOCK];
    struct flow flow = {.left = STREAM_BYTES / BLOCK, .payload = {BLOCK, block}};
    double begin = now_us(), cpu = cpu_us();
    struct grpcc_stream *stream =
        grpcc_echo_echo_service_collect_open(channel, queue, NULL, flow_on_status, &flow);

    collect_write(stream, &flow);
    grpcc_echo_echo_service_collect_read_response(stream, collect_on_response);
    while (!flow.over)
        grpcc_queue_poll(queue, -1);
    printf("client to server, 64 KiB messages: %.0f MB/s, CPU %.1f us each\n",
           (double)flow.bytes / (now_us() - begin), (cpu_us() - cpu) / (STREAM_BYTES / BLOCK));
}

int main(void)
{
    int fds[2];
    pid_t server;
    double begin;
    struct grpcc_channel *channel;
    struct grpcc_queue *queue;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
        return 1;
    server = fork();
    if (server == 0) {
        close(fds[0]);
        serve(fds[1]);
    }
    close(fds[1]);
    if (clock_getcpuclockid(server, &server_clock))
        return 1;
    begin = now_us();
    grpcc_init();
    printf("init: %.1f us", now_us() - begin);
    channel = grpcc_channel_from_fd(fds[0], NULL);
    printf(", with a channel %.1f us", now_us() - begin);
    one_blocking_call(channel);
    printf(", with the first call %.1f us\n", now_us() - begin);
    queue = grpcc_queue_new(NULL);
    bench_blocking(channel);
    bench_in_flight(channel, queue);
    bench_download(channel, queue);
    bench_upload(channel, queue);
    grpcc_queue_free(queue);
    grpcc_channel_free(channel);
    grpcc_shutdown();
    kill(server, SIGKILL);
    return 0;
}
