/* What peers should not send: messages that are malformed or too large, calls without a message,
 * and no HTTP/2 at all. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "base/text.h"
#include "proto/runtime/tests/driver.h"

struct outcome {
    bool over;
    int code;
    bool reason_is_invalid_message;
    unsigned messages;
};

static void note(struct outcome *outcome, const struct grpcc_status *status)
{
    outcome->over = true;
    outcome->code = status ? status->code : 0;
    outcome->reason_is_invalid_message =
        status && status->reason && strcmp(status->reason, "INVALID_MESSAGE") == 0;
}

static void on_reply(const ProtobufCMessage *response, const struct grpcc_status *status,
                     void *data)
{
    (void)response;
    note(data, status);
}

static void on_status(struct grpcc_stream *stream, const struct grpcc_status *status, void *data)
{
    (void)stream;
    note(data, status);
}

static void on_message(struct grpcc_stream *stream, const ProtobufCMessage *message, void *data)
{
    struct outcome *outcome = data;

    if (!message)
        return;
    outcome->messages++;
    grpcc_stream_read(stream, on_message);
}

static struct grpcc_method loosened(const struct grpcc_method *method)
{
    struct grpcc_method loose = *method;

    loose.request = &grpcc__echo__loose_request__descriptor;
    return loose;
}

/* Sends one request by whatever kind of call the method is. */
static struct outcome send_one(struct fixture *fixture, const struct grpcc_method *method,
                               const ProtobufCMessage *request)
{
    struct outcome outcome = {0};

    if (method->kind == GRPCC_UNARY) {
        grpcc_call_start(fixture->channel, fixture->queue, method, request, NULL, on_reply,
                         &outcome);
    } else {
        struct grpcc_stream *stream = grpcc_stream_open_with(
            fixture->channel, fixture->queue, method, request, NULL, on_status, &outcome);

        grpcc_stream_read(stream, on_message);
    }
    fixture_run_until(fixture, &outcome.over);
    return outcome;
}

static const struct grpcc_method *const methods[] = {
    &grpcc_echo_echo_service_unary_method,
    &grpcc_echo_echo_service_collect_method,
    &grpcc_echo_echo_service_repeat_method,
    &grpcc_echo_echo_service_chat_method,
};

/* The server tells the client; the handler of a unary or server streaming call never hears of it.
 */
static void test_malformed_requests(struct fixture *fixture)
{
    Grpcc__Echo__LooseRequest request = GRPCC__ECHO__LOOSE_REQUEST__INIT;

    request.text = (ProtobufCBinaryData){2, (uint8_t *)(uintptr_t) "\377\376"};
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(methods); i++) {
        struct grpcc_method method = loosened(methods[i]);
        unsigned begun = fixture->service.begun;
        bool heard = method.kind == GRPCC_CLIENT_STREAMING || method.kind == GRPCC_BIDI_STREAMING;
        struct outcome outcome = send_one(fixture, &method, &request.base);

        CHECK_INT(outcome.code, 3);
        CHECK(outcome.reason_is_invalid_message);
        fixture_run_until_count(fixture, &fixture->service.ended, begun + heard);
        CHECK_INT(fixture->service.begun, begun + heard);
        /* It finishes when its read ends, and need not be told again. */
        CHECK_INT(fixture->service.cancelled, 0);
    }
}

/* A response that the client can't take cancels the stream and says INTERNAL. */
static void test_malformed_responses(struct fixture *fixture)
{
    Grpcc__Echo__EchoRequest request = GRPCC__ECHO__ECHO_REQUEST__INIT;

    request.payload = (ProtobufCBinaryData){1, (uint8_t *)(uintptr_t) "\377"};
    request.count = 3;
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(methods); i++) {
        struct grpcc_method method = *methods[i];
        struct outcome outcome;

        method.response = &grpcc__echo__strict_response__descriptor;
        outcome = send_one(fixture, &method, &request.base);
        CHECK_INT(outcome.code, i == 1 ? 0 : 13); /* Collect doesn't send the payload back */
        fixture_run_until_count(fixture, &fixture->service.ended, fixture->service.begun);
    }
}

/* Half-close without a message, where there must be one. */
static void test_missing_request(struct fixture *fixture)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(methods); i++) {
        struct outcome outcome = {0};
        struct grpcc_stream *stream;

        if (methods[i]->kind != GRPCC_UNARY && methods[i]->kind != GRPCC_SERVER_STREAMING)
            continue;
        stream = grpcc_stream_open(fixture->channel, fixture->queue, methods[i], NULL, on_status,
                                   &outcome);
        grpcc_stream_half_close(stream);
        fixture_run_until(fixture, &outcome.over);
        CHECK_INT(outcome.code, 12);
    }
}

static void test_too_large(void)
{
    struct fixture_options options = {.server = {.max_receive_bytes = 1000},
                                      .channel = {.max_receive_bytes = 500}};
    static uint8_t bytes[2000];
    Grpcc__Echo__EchoRequest request = GRPCC__ECHO__ECHO_REQUEST__INIT;
    struct fixture fixture;

    fixture_open(&fixture, &options);
    request.count = 1;
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(methods); i++) {
        request.payload = (ProtobufCBinaryData){400, bytes};
        CHECK_INT(send_one(&fixture, methods[i], &request.base).code, 0);
        request.payload.len = 700;
        CHECK_INT(send_one(&fixture, methods[i], &request.base).code, i == 1 ? 0 : 8);
        request.payload.len = 2000;
        CHECK_INT(send_one(&fixture, methods[i], &request.base).code, 8);
        fixture_run_until_count(&fixture, &fixture.service.ended, fixture.service.begun);
    }
    fixture_close(&fixture);
}

/* More than one message of nested elements than the server wants. */
static void test_wire_limits(void)
{
    struct fixture_options options = {.server = {.max_wire_elements = 2, .max_wire_depth = 1}};
    Grpcc__Echo__EchoRequest request = GRPCC__ECHO__ECHO_REQUEST__INIT;
    Google__Protobuf__Duration duration = GOOGLE__PROTOBUF__DURATION__INIT;
    struct fixture fixture;

    fixture_open(&fixture, &options);
    request.text = (char *)(uintptr_t) "text";
    request.fail_code = 5;
    CHECK_INT(send_one(&fixture, methods[0], &request.base).code, 5);
    request.count = 1;
    CHECK_INT(send_one(&fixture, methods[0], &request.base).code, 3);
    request.count = 0;
    request.text = (char *)(uintptr_t) "";
    duration.seconds = 1;
    request.duration = &duration;
    CHECK_INT(send_one(&fixture, methods[0], &request.base).code, 3);
    fixture_close(&fixture);
}

/* The connection of somebody who doesn't speak HTTP/2 is closed; the server goes on. */
static void test_no_http2(void)
{
    static const char nonsense[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct fixture_options options = {.no_channel = true};
    struct fixture fixture;
    char answer[256];

    fixture_open(&fixture, &options);
    REQUIRE(write(fixture.client_fd, nonsense, sizeof(nonsense) - 1) > 0);
    for (ssize_t got = 1; got > 0;) {
        fixture_step(&fixture, 1);
        got = recv(fixture.client_fd, answer, sizeof(answer), MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN)
            got = 1;
        REQUIRE(got >= 0);
    }
    fixture_close(&fixture);
}

int main(void)
{
    struct fixture fixture;

    grpcc_init();
    fixture_open(&fixture, NULL);
    test_malformed_requests(&fixture);
    test_malformed_responses(&fixture);
    test_missing_request(&fixture);
    fixture_close(&fixture);
    test_too_large();
    test_wire_limits();
    test_no_http2();
    grpcc_shutdown();
    return heel_test_end();
}
