/* What a handler that takes its time sees of a client that gives up. */
#include <sys/socket.h>

#include "base/test.h"
#include "proto/runtime/tests/echo_service.h"

enum { LARGE = 3 << 20 };

/* A service that keeps its calls, and a client. */
struct held {
    struct grpcc_queue *queue;
    struct grpcc_server *server;
    struct grpcc_channel *channel;
    struct grpcc_unary *unary;
    struct grpcc_stream *stream;
    unsigned count; /* of the callbacks that the test is about */
    bool client_over;
    bool stream_done;
    bool drained;
};

static void hold_unary(struct grpcc_unary *call, const Grpcc__Echo__EchoRequest *request,
                       void *service)
{
    (void)request;
    ((struct held *)service)->unary = call;
}

static void hold_stream(struct grpcc_stream *stream, void *service)
{
    ((struct held *)service)->stream = stream;
    grpcc_stream_set_data(stream, service);
}

static void on_drained(void *context)
{
    ((struct held *)context)->drained = true;
}

static void poll_once(struct held *held)
{
    REQUIRE(grpcc_queue_poll(held->queue, 20000));
}

static void wait_for(struct held *held, const bool *flag)
{
    while (!*flag)
        poll_once(held);
}

/* Until the callbacks have come that often, and no more often. */
static void wait_for_count(struct held *held, unsigned count)
{
    while (held->count < count)
        poll_once(held);
    CHECK_INT(held->count, count);
}

static void wait_until_cancelled(struct held *held, const struct grpcc_call *call)
{
    while (!grpcc_call_is_cancelled(call))
        poll_once(held);
}

/* Whatever there is to happen, to show that something doesn't. */
static void settle(struct held *held)
{
    while (grpcc_queue_poll(held->queue, 20))
        ;
}

static void open_held(struct held *held)
{
    static const struct grpcc_echo_echo_service_handlers handlers = {
        .unary = hold_unary,
        .chat = hold_stream,
    };
    int fds[2];

    *held = (struct held){.queue = grpcc_queue_new(NULL)};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    held->server = grpcc_server_new(held->queue, NULL);
    grpcc_echo_echo_service_register(held->server, &handlers, held);
    grpcc_server_start(held->server);
    grpcc_server_add_connection(held->server, fds[0]);
    held->channel = grpcc_channel_from_fd(fds[1], NULL);
}

static void close_held(struct held *held)
{
    grpcc_channel_free(held->channel);
    grpcc_server_drain(held->server, on_drained, held);
    while (!held->drained)
        poll_once(held);
    grpcc_server_free(held->server);
    grpcc_queue_free(held->queue);
}

/* ---- unary ---- */

static void on_reply(const Grpcc__Echo__EchoResponse *response, const struct grpcc_status *status,
                     void *data)
{
    (void)response;
    (void)status;
    ((struct held *)data)->client_over = true;
}

/* A call that reached its handler; NULL options: none. */
static struct grpcc_client_call *start_unary(struct held *held,
                                             const struct grpcc_call_options *options)
{
    Grpcc__Echo__EchoRequest request = GRPCC__ECHO__ECHO_REQUEST__INIT;
    struct grpcc_client_call *call = grpcc_echo_echo_service_unary_start(
        held->channel, held->queue, &request, options, on_reply, held);

    while (!held->unary)
        poll_once(held);
    return call;
}

static void unary_on_cancel(struct grpcc_unary *call, void *data)
{
    struct held *held = data;

    CHECK(call == held->unary);
    CHECK(grpcc_call_is_cancelled(grpcc_unary_call(call)));
    held->count++;
}

static void reply(struct held *held)
{
    Grpcc__Echo__EchoResponse response = GRPCC__ECHO__ECHO_RESPONSE__INIT;

    grpcc_echo_echo_service_unary_reply(held->unary, &response);
}

static void test_unary_cancel(void)
{
    struct held held;

    open_held(&held);
    grpcc_call_cancel(start_unary(&held, NULL));
    CHECK(!grpcc_call_is_cancelled(grpcc_unary_call(held.unary)));
    grpcc_unary_on_cancel(held.unary, unary_on_cancel, &held);
    wait_for_count(&held, 1);
    wait_for(&held, &held.client_over);
    CHECK(grpcc_call_is_cancelled(grpcc_unary_call(held.unary)));
    reply(&held);
    close_held(&held);
}

/* `again`: on_cancel is asked for when the call has been cancelled already; it is cleared, or the
 * call answered, before the next dispatch; or it is let come. */
static void test_late_unary_on_cancel(const char *again)
{
    struct held held;

    open_held(&held);
    grpcc_call_cancel(start_unary(&held, NULL));
    wait_until_cancelled(&held, grpcc_unary_call(held.unary));
    grpcc_unary_on_cancel(held.unary, unary_on_cancel, &held);
    CHECK_INT(held.count, 0);
    if (strcmp(again, "cleared") == 0)
        grpcc_unary_on_cancel(held.unary, NULL, NULL);
    if (strcmp(again, "answered") == 0)
        reply(&held);
    settle(&held);
    CHECK_INT(held.count, strcmp(again, "let come") == 0);
    if (strcmp(again, "answered") != 0)
        reply(&held);
    close_held(&held);
}

static void test_cleared_on_cancel(void)
{
    struct held held;
    struct grpcc_client_call *call;

    open_held(&held);
    call = start_unary(&held, NULL);
    grpcc_unary_on_cancel(held.unary, unary_on_cancel, &held);
    grpcc_unary_on_cancel(held.unary, NULL, NULL);
    grpcc_call_cancel(call);
    wait_until_cancelled(&held, grpcc_unary_call(held.unary));
    settle(&held);
    CHECK_INT(held.count, 0);
    reply(&held);
    close_held(&held);
}

static void test_time_left(void)
{
    struct grpcc_call_options options = {.timeout_ms = 60000};
    struct held held;
    int64_t left;

    open_held(&held);
    start_unary(&held, &options);
    left = grpcc_call_time_left_ms(grpcc_unary_call(held.unary));
    CHECK(left > 30000);
    CHECK(left <= 61000); /* gRPC rounds up on the wire */
    reply(&held);
    wait_for(&held, &held.client_over);
    held.unary = NULL;
    start_unary(&held, NULL);
    CHECK(grpcc_call_time_left_ms(grpcc_unary_call(held.unary)) == INT64_MAX);
    reply(&held);
    close_held(&held);
}

/* ---- streams ---- */

static void on_status(struct grpcc_stream *stream, const struct grpcc_status *status, void *data)
{
    (void)stream;
    (void)status;
    ((struct held *)data)->client_over = true;
}

static struct grpcc_stream *start_stream(struct held *held)
{
    struct grpcc_stream *stream =
        grpcc_echo_echo_service_chat_open(held->channel, held->queue, NULL, on_status, held);

    grpcc_stream_half_close(stream);
    while (!held->stream)
        poll_once(held);
    return stream;
}

static void cancel_and_wait(struct held *held, struct grpcc_stream *stream)
{
    grpcc_stream_cancel(stream);
    wait_for(held, &held->client_over);
    wait_until_cancelled(held, grpcc_stream_call(held->stream));
}

static void stream_on_cancel(struct grpcc_stream *stream, void *data)
{
    struct held *held = data;

    CHECK(stream == held->stream);
    CHECK(!held->stream_done);
    held->count++;
}

static void on_done(struct grpcc_stream *stream, void *data)
{
    struct held *held = data;

    CHECK(stream == held->stream);
    CHECK(!held->stream_done);
    held->stream_done = true;
}

static void test_stream_cancel(bool late)
{
    struct held held;
    struct grpcc_stream *stream;

    open_held(&held);
    stream = start_stream(&held);
    if (!late)
        grpcc_stream_on_cancel(held.stream, stream_on_cancel);
    cancel_and_wait(&held, stream);
    if (late)
        grpcc_stream_on_cancel(held.stream, stream_on_cancel);
    wait_for_count(&held, 1);
    grpcc_stream_finish(held.stream, NULL, on_done);
    CHECK(!held.stream_done);
    wait_for(&held, &held.stream_done);
    close_held(&held);
}

/* Who has finished is not told that the client went away meanwhile. */
static void test_finish_before_late_cancel(void)
{
    struct held held;
    struct grpcc_stream *stream;

    open_held(&held);
    stream = start_stream(&held);
    cancel_and_wait(&held, stream);
    grpcc_stream_on_cancel(held.stream, stream_on_cancel);
    grpcc_stream_finish(held.stream, NULL, on_done);
    wait_for(&held, &held.stream_done);
    CHECK_INT(held.count, 0);
    close_held(&held);
}

static void on_written(struct grpcc_stream *stream, bool ok, void *data)
{
    (void)stream;
    CHECK(!ok);
    ((struct held *)data)->count++;
}

static void on_request(struct grpcc_stream *stream, const Grpcc__Echo__EchoRequest *request,
                       void *data)
{
    (void)stream;
    CHECK(!request);
    ((struct held *)data)->count++;
}

/* Reads and writes on a broken stream complete, each once, and so do those after the end of reads.
 */
static void test_use_after_cancel(void)
{
    Grpcc__Echo__EchoResponse response = GRPCC__ECHO__ECHO_RESPONSE__INIT;
    struct held held;
    struct grpcc_stream *stream;

    open_held(&held);
    stream = start_stream(&held);
    cancel_and_wait(&held, stream);
    for (unsigned i = 0; i < 2; i++) {
        grpcc_echo_echo_service_chat_write_response(held.stream, &response, on_written);
        grpcc_echo_echo_service_chat_read_request(held.stream, on_request);
        CHECK_INT(held.count, i * 2);
        wait_for_count(&held, i * 2 + 2);
    }
    grpcc_stream_finish(held.stream, grpcc_status_new(1, "gone"), on_done);
    wait_for(&held, &held.stream_done);
    close_held(&held);
}

static void on_first(struct grpcc_stream *stream, const Grpcc__Echo__EchoRequest *request,
                     void *data)
{
    (void)stream;
    CHECK(request);
    ((struct held *)data)->count++;
}

static void on_broken(struct grpcc_stream *stream, const Grpcc__Echo__EchoRequest *request,
                      void *data)
{
    CHECK(!request);
    CHECK(grpcc_call_is_cancelled(grpcc_stream_call(stream)));
    ((struct held *)data)->count++;
}

static void on_half_close(struct grpcc_stream *stream, const Grpcc__Echo__EchoRequest *request,
                          void *data)
{
    CHECK(!request);
    CHECK(!grpcc_call_is_cancelled(grpcc_stream_call(stream)));
    ((struct held *)data)->count++;
}

/* A read that ends tells a client that has no more to say from one that is gone, at that moment. */
static void test_end_of_reads(bool half_close)
{
    Grpcc__Echo__EchoRequest request = GRPCC__ECHO__ECHO_REQUEST__INIT;
    struct held held;
    struct grpcc_stream *stream;

    open_held(&held);
    stream = grpcc_echo_echo_service_chat_open(held.channel, held.queue, NULL, on_status, &held);
    grpcc_echo_echo_service_chat_write_request(stream, &request, NULL);
    while (!held.stream)
        poll_once(&held);
    grpcc_echo_echo_service_chat_read_request(held.stream, on_first);
    wait_for_count(&held, 1);
    grpcc_echo_echo_service_chat_read_request(held.stream, half_close ? on_half_close : on_broken);
    if (half_close)
        grpcc_stream_half_close(stream);
    else
        grpcc_stream_cancel(stream);
    wait_for_count(&held, 2);
    grpcc_stream_finish(held.stream, NULL, on_done);
    wait_for(&held, &held.stream_done);
    wait_for(&held, &held.client_over);
    close_held(&held);
}

static void count_response(struct grpcc_stream *stream, const Grpcc__Echo__EchoResponse *response,
                           void *data)
{
    struct held *held = data;

    if (!response)
        return;
    CHECK_INT(response->payload.len, LARGE);
    held->count++;
    grpcc_echo_echo_service_chat_read_response(stream, count_response);
}

static void count_written(struct grpcc_stream *stream, bool ok, void *data)
{
    struct held *held = data;

    (void)stream;
    CHECK(ok);
    CHECK(!held->stream_done);
    held->count++;
}

/* A stream is finished while a write is under way: the message goes out first, the client gets it,
 * and both callbacks come in order. */
static void test_finish_during_write(void)
{
    static uint8_t bytes[LARGE];
    Grpcc__Echo__EchoResponse response = GRPCC__ECHO__ECHO_RESPONSE__INIT;
    struct held held;
    struct grpcc_stream *stream;

    open_held(&held);
    stream = start_stream(&held);
    response.payload = (ProtobufCBinaryData){LARGE, bytes};
    grpcc_echo_echo_service_chat_write_response(held.stream, &response, count_written);
    grpcc_stream_finish(held.stream, NULL, on_done);
    grpcc_echo_echo_service_chat_read_response(stream, count_response);
    wait_for(&held, &held.client_over);
    wait_for(&held, &held.stream_done);
    CHECK_INT(held.count, 2);
    close_held(&held);
}

int main(void)
{
    grpcc_init();
    test_unary_cancel();
    test_late_unary_on_cancel("let come");
    test_late_unary_on_cancel("cleared");
    test_late_unary_on_cancel("answered");
    test_cleared_on_cancel();
    test_time_left();
    test_stream_cancel(false);
    test_stream_cancel(true);
    test_finish_before_late_cancel();
    test_use_after_cancel();
    test_finish_during_write();
    test_end_of_reads(true);
    test_end_of_reads(false);
    grpcc_shutdown();
    return heel_test_end();
}
