/* The end of a server: no new calls, running ones go on; then what still runs is cancelled. Several
 * servers on one queue. */
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"
#include "proto/runtime/tests/driver.h"

/* A running call finishes during the drain; then on_drained comes. */
static void test_drain_lets_finish(struct fixture_options *options)
{
    struct fixture fixture;
    struct driver running = {.kind = GRPCC_BIDI_STREAMING, .messages = 200, .payload = 1000};
    struct driver late = {.kind = GRPCC_UNARY};

    fixture_open(&fixture, options);
    driver_start(&running, &fixture);
    while (running.received < 2)
        REQUIRE(fixture_step(&fixture, 20000));
    fixture_drain(&fixture);
    fixture_step(&fixture, 20000);
    CHECK(!fixture.drained);
    driver_run(&running);
    CHECK_INT(running.code, 0);
    CHECK_INT(running.received, 200);
    fixture_run_until(&fixture, &fixture.drained);
    driver_start(&late, &fixture);
    driver_run(&late);
    CHECK_INT(late.code, 14);
    driver_clear(&late);
    CHECK_INT(fixture.service.begun, 1);
    fixture_close(&fixture);
}

/* Calls that won't end are cancelled, and end with CANCELLED or UNAVAILABLE for their clients. */
static void test_cancel_after_drain(struct fixture_options *options)
{
    struct fixture fixture;
    struct driver stuck[4] = {{0}};

    fixture_open(&fixture, options);
    fixture.service.stalls = true;
    for (int i = 0; i < 4; i++) {
        stuck[i] = (struct driver){.kind = (enum grpcc_kind)i, .messages = 2};
        driver_start(&stuck[i], &fixture);
    }
    while (fixture.service.begun < 4)
        REQUIRE(fixture_step(&fixture, 20000));
    fixture_drain(&fixture);
    fixture_settle(&fixture, 50);
    CHECK(!fixture.drained);
    CHECK_INT(fixture.service.ended, 0);
    grpcc_server_cancel_all(fixture.server);
    for (int i = 0; i < 4; i++) {
        driver_run(&stuck[i]);
        CHECK(stuck[i].code == 1 || stuck[i].code == 14);
        driver_clear(&stuck[i]);
    }
    fixture_run_until(&fixture, &fixture.drained);
    CHECK_INT(fixture.service.cancelled, 4);
    fixture_close(&fixture);
}

struct late_answer {
    struct grpcc_unary *call;
    bool begun;
    bool drained;
};

static void hold(struct grpcc_unary *call, const Grpcc__Echo__EchoRequest *request, void *service)
{
    struct late_answer *late = service;

    (void)request;
    late->call = call;
    late->begun = true;
}

static void note_drained(void *context)
{
    ((struct late_answer *)context)->drained = true;
}

static void ignore_reply(const Grpcc__Echo__EchoResponse *response,
                         const struct grpcc_status *status, void *data)
{
    (void)response;
    CHECK(status);
    *(bool *)data = true;
}

/* A handler that ignores cancellation and answers much later: the server isn't drained before,
 * though its connection is gone. */
static void test_late_answer(void)
{
    static const struct grpcc_echo_echo_service_handlers handlers = {.unary = hold};
    struct grpcc_queue *queue = grpcc_queue_new(NULL);
    struct grpcc_server *server = grpcc_server_new(queue, NULL);
    struct late_answer late = {0};
    Grpcc__Echo__EchoRequest request = GRPCC__ECHO__ECHO_REQUEST__INIT;
    Grpcc__Echo__EchoResponse response = GRPCC__ECHO__ECHO_RESPONSE__INIT;
    struct grpcc_channel *channel;
    bool over = false;
    int fds[2];

    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    grpcc_echo_echo_service_register(server, &handlers, &late);
    grpcc_server_start(server);
    grpcc_server_add_connection(server, fds[0]);
    channel = grpcc_channel_from_fd(fds[1], NULL);
    grpcc_echo_echo_service_unary_start(channel, queue, &request, NULL, ignore_reply, &over);
    while (!late.begun)
        REQUIRE(grpcc_queue_poll(queue, 20000));
    grpcc_server_drain(server, note_drained, &late);
    grpcc_server_cancel_all(server);
    while (!over)
        REQUIRE(grpcc_queue_poll(queue, 20000));
    grpcc_channel_free(channel);
    while (grpcc_queue_poll(queue, 50))
        ;
    CHECK(!late.drained);
    CHECK(grpcc_call_is_cancelled(grpcc_unary_call(late.call)));
    grpcc_echo_echo_service_unary_reply(late.call, &response);
    while (!late.drained)
        REQUIRE(grpcc_queue_poll(queue, 20000));
    grpcc_server_free(server);
    grpcc_queue_free(queue);
}

/* A server that nobody ever connected to, and many servers that come and go on one queue. */
static void test_many_servers(void)
{
    struct grpcc_queue *queue = grpcc_queue_new(NULL);
    struct grpcc_server *servers[50];
    struct late_answer drained[50] = {{0}};
    struct echo_service service = {0};

    for (int i = 0; i < 50; i++) {
        servers[i] = grpcc_server_new(queue, NULL);
        echo_service_register(servers[i], &service);
        grpcc_server_start(servers[i]);
    }
    for (int i = 0; i < 50; i++)
        grpcc_server_drain(servers[i], note_drained, &drained[i]);
    for (int i = 0; i < 50; i++) {
        while (!drained[i].drained)
            REQUIRE(grpcc_queue_poll(queue, 20000));
        grpcc_server_free(servers[i]);
    }
    grpcc_queue_free(queue);
}

int main(void)
{
    grpcc_init();
    for (int with_waker = 0; with_waker < 2; with_waker++) {
        struct fixture_options options = {.with_waker = with_waker};

        test_drain_lets_finish(&options);
        test_cancel_after_drain(&options);
    }
    test_late_answer();
    test_many_servers();
    grpcc_shutdown();
    return heel_test_end();
}
