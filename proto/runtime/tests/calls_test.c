/* Calls of all four kinds that go well, or fail as the handler wants. */
#include "base/test.h"
#include "proto/runtime/tests/driver.h"

static void run(struct fixture *fixture, struct driver *driver)
{
    driver_start(driver, fixture);
    driver_run(driver);
}

static void test_kinds(struct fixture *fixture, size_t payload)
{
    struct driver unary = {.kind = GRPCC_UNARY, .payload = payload};
    struct driver collect = {.kind = GRPCC_CLIENT_STREAMING, .messages = 5, .payload = payload};
    struct driver repeat = {.kind = GRPCC_SERVER_STREAMING, .messages = 5, .payload = payload};
    struct driver chat = {.kind = GRPCC_BIDI_STREAMING, .messages = 5, .payload = payload};

    run(fixture, &unary);
    CHECK_INT(unary.code, 0);
    CHECK_INT(unary.received, 1);
    run(fixture, &collect);
    CHECK_INT(collect.code, 0);
    CHECK_INT(collect.written, 5);
    CHECK_INT(collect.received, 1);
    CHECK_INT(collect.last_index, 5);
    run(fixture, &repeat);
    CHECK_INT(repeat.code, 0);
    CHECK_INT(repeat.received, 5);
    CHECK_INT(repeat.last_index, 4);
    CHECK(repeat.ended_by_null);
    run(fixture, &chat);
    CHECK_INT(chat.code, 0);
    CHECK_INT(chat.written, 5);
    CHECK_INT(chat.received, 5);
    CHECK(chat.ended_by_null);
}

/* A stream of no messages is one, too; and a client that never reads gets its status. */
static void test_empty_streams(struct fixture *fixture)
{
    struct driver collect = {.kind = GRPCC_CLIENT_STREAMING};
    struct driver repeat = {.kind = GRPCC_SERVER_STREAMING};
    struct driver chat = {.kind = GRPCC_BIDI_STREAMING};
    struct driver deaf = {.kind = GRPCC_BIDI_STREAMING, .never_reads = true};

    run(fixture, &collect);
    CHECK_INT(collect.code, 0);
    CHECK_INT(collect.last_index, 0);
    run(fixture, &repeat);
    CHECK_INT(repeat.code, 0);
    CHECK_INT(repeat.received, 0);
    run(fixture, &chat);
    CHECK_INT(chat.code, 0);
    CHECK_INT(chat.received, 0);
    run(fixture, &deaf);
    CHECK_INT(deaf.code, 0);
}

static void test_rich_errors(struct fixture *fixture)
{
    for (int kind = GRPCC_UNARY; kind <= GRPCC_BIDI_STREAMING; kind++) {
        struct driver driver = {.kind = (enum grpcc_kind)kind, .messages = 2, .fail_code = 9};

        run(fixture, &driver);
        CHECK_INT(driver.code, 9);
        CHECK_STR(driver.text, "failed as asked");
        REQUIRE(driver.status);
        CHECK_STR(driver.status->domain, "grpcc.echo");
        CHECK_STR(driver.status->reason, "AS_ASKED");
        CHECK_STR(grpcc_status_metadata(driver.status, "code"), "yes");
        REQUIRE(driver.status->field_count == 1);
        CHECK_STR(driver.status->fields[0].field, "fail_code");
        CHECK_STR(driver.status->fields[0].description, "is not 0");
        REQUIRE(driver.status->precondition_count == 1);
        CHECK_STR(driver.status->preconditions[0].subject, "client");
        CHECK_INT(driver.status->retry_delay_ms, 1500);
        driver_clear(&driver);
    }
}

struct seen {
    unsigned headers;
    unsigned trailers;
};

static void on_metadata(const struct grpcc_metadata *entry, bool trailing, void *data)
{
    struct seen *seen = data;

    if (!trailing && strcmp(entry->key, "echoed-text") == 0 &&
        strcmp(entry->value, "some text") == 0)
        seen->headers++;
    if (trailing && strcmp(entry->key, "echoed-binary-bin") == 0 && entry->length == 4 &&
        memcmp(entry->value, "\0\1\2\377", 4) == 0)
        seen->trailers++;
}

static const struct grpcc_metadata sent[] = {{"echo-text", "some text", 9},
                                             {"echo-binary-bin", "\0\1\2\377", 4}};

static void test_metadata(struct fixture *fixture)
{
    for (int kind = GRPCC_UNARY; kind <= GRPCC_BIDI_STREAMING; kind++) {
        struct seen seen = {0};
        struct driver driver = {.kind = (enum grpcc_kind)kind,
                                .messages = 1,
                                .options = {.metadata = sent,
                                            .metadata_count = 2,
                                            .on_metadata = on_metadata,
                                            .on_metadata_data = &seen}};

        run(fixture, &driver);
        CHECK_INT(driver.code, 0);
        CHECK_INT(seen.headers, 1);
        CHECK_INT(seen.trailers, 1);
        CHECK_INT(driver.echoed_trailer, kind != GRPCC_UNARY);
    }
}

/* Metadata that gRPC refuses fails the call and nothing else. */
static void test_bad_metadata(struct fixture *fixture)
{
    static const struct grpcc_metadata bad[] = {{"Upper Case", "x", 1}};

    for (int kind = GRPCC_UNARY; kind <= GRPCC_BIDI_STREAMING; kind++) {
        struct driver driver = {.kind = (enum grpcc_kind)kind,
                                .messages = 1,
                                .options = {.metadata = bad, .metadata_count = 1}};

        run(fixture, &driver);
        CHECK_INT(driver.code, 13);
        driver_clear(&driver);
    }
}

static void on_missing(const Grpcc__Echo__EchoResponse *response, const struct grpcc_status *status,
                       void *data)
{
    bool *over = data;

    CHECK(!response);
    CHECK_INT(status->code, 12);
    *over = true;
}

/* A method without a handler, and a path that nobody ever registered. */
static void test_unimplemented(struct fixture *fixture)
{
    static const struct grpcc_method unknown = {"/grpcc.echo.EchoService/Unar", GRPCC_UNARY,
                                                &grpcc__echo__echo_request__descriptor,
                                                &grpcc__echo__echo_response__descriptor};
    Grpcc__Echo__EchoRequest request = GRPCC__ECHO__ECHO_REQUEST__INIT;
    bool over = false;

    grpcc_echo_echo_service_missing_start(fixture->channel, fixture->queue, &request, NULL,
                                          on_missing, &over);
    fixture_run_until(fixture, &over);
    over = false;
    grpcc_call_start(fixture->channel, fixture->queue, &unknown, &request.base, NULL,
                     (grpcc_on_reply *)on_missing, &over);
    fixture_run_until(fixture, &over);
}

int main(void)
{
    grpcc_init();
    for (int with_waker = 0; with_waker < 2; with_waker++) {
        struct fixture_options options = {.with_waker = with_waker};
        struct fixture fixture;

        fixture_open(&fixture, &options);
        test_kinds(&fixture, 10);
        test_kinds(&fixture, 0);
        test_kinds(&fixture, 300000);
        test_empty_streams(&fixture);
        test_rich_errors(&fixture);
        test_metadata(&fixture);
        test_bad_metadata(&fixture);
        test_unimplemented(&fixture);
        fixture_close(&fixture);
    }
    grpcc_shutdown();
    return heel_test_end();
}
