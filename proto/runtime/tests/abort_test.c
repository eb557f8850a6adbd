/* Calls that are cut short, in every state. A call of each kind is run step by step, one completion
 * at a time; before step n something goes wrong, and n goes from 0 until the call is over before
 * its turn comes. */
#include "base/test.h"
#include "proto/runtime/tests/driver.h"

struct blow {
    const char *name;
    void (*strike)(struct fixture *fixture, struct driver *driver);
    int codes[4]; /* with which the call may end besides what was asked for; -1 ends the list */
};

static void cancel(struct fixture *fixture, struct driver *driver)
{
    (void)fixture;
    driver_cancel(driver);
}

static void lose_connection(struct fixture *fixture, struct driver *driver)
{
    (void)driver;
    fixture_lose_connection(fixture);
}

static void cancel_all(struct fixture *fixture, struct driver *driver)
{
    (void)driver;
    fixture_drain(fixture);
    grpcc_server_cancel_all(fixture->server);
}

/* Without cancelling: what runs is let finish. */
static void drain(struct fixture *fixture, struct driver *driver)
{
    (void)driver;
    fixture_drain(fixture);
}

static const struct blow blows[] = {
    {"the client cancels", cancel, {1, -1}},
    {"the connection is lost", lose_connection, {14, 1, 13, -1}},
    {"the server cancels all", cancel_all, {14, 1, 13, -1}},
    {"the server drains", drain, {14, 1, -1}}, /* CANCELLED where the call and GOAWAY cross */
};

static bool code_fits(const struct blow *blow, const struct driver *call, int code)
{
    if (code == call->fail_code)
        return true;
    for (const int *allowed = blow->codes; *allowed >= 0; allowed++)
        if (*allowed == code)
            return true;
    return false;
}

/* Runs a call with the blow at this step. False if the call was over before. */
static bool run_one(const struct blow *blow, const struct driver *call, unsigned at)
{
    struct fixture fixture;
    struct driver driver = *call;
    unsigned step = 0;

    fixture_open(&fixture, NULL);
    driver_start(&driver, &fixture);
    for (; step < at && !driver.over; step++)
        REQUIRE(fixture_step(&fixture, 20000));
    if (!driver.over)
        blow->strike(&fixture, &driver);
    driver_run(&driver);
    if (!code_fits(blow, call, driver.code))
        HEEL_TEST_FAIL("%s at step %u of a call of kind %d: %d %s", blow->name, at,
                       (int)driver.kind, driver.code, driver.text);
    driver_clear(&driver);
    fixture_close(&fixture);
    return step == at;
}

static void test_every_step(void)
{
    static const struct driver calls[] = {
        {.kind = GRPCC_UNARY, .payload = 10},
        {.kind = GRPCC_CLIENT_STREAMING, .messages = 3, .payload = 10},
        {.kind = GRPCC_SERVER_STREAMING, .messages = 3, .payload = 10},
        {.kind = GRPCC_BIDI_STREAMING, .messages = 3, .payload = 10},
        {.kind = GRPCC_BIDI_STREAMING, .messages = 3, .payload = 200000},
        {.kind = GRPCC_BIDI_STREAMING, .messages = 2, .payload = 10, .fail_code = 5},
    };

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(blows); i++) {
        for (size_t j = 0; j < HEEL_ARRAY_LENGTH(calls) - (i > 0); j++) {
            unsigned at = 0;

            while (run_one(&blows[i], &calls[j], at))
                at++;
            if (at < 3)
                HEEL_TEST_FAIL("%s: only %u steps", blows[i].name, at);
        }
    }
}

/* The server does nothing after so many messages; then comes the end. */
static void run_stalled(const struct driver *call, unsigned stall_at,
                        void (*strike)(struct fixture *, struct driver *), int code)
{
    struct fixture fixture;
    struct driver driver = *call;

    fixture_open(&fixture, NULL);
    fixture.service.stalls = true;
    fixture.service.stall_at = stall_at;
    driver_start(&driver, &fixture);
    if (strike) {
        fixture_run_until_count(&fixture, &fixture.service.stalled, 1);
        CHECK(!driver.over);
        strike(&fixture, &driver);
    }
    driver_run(&driver);
    CHECK_INT(driver.code, code);
    /* On a machine that is busy the deadline may have come before the call. */
    fixture_run_until_count(&fixture, &fixture.service.ended, strike ? 1 : fixture.service.begun);
    CHECK_INT(fixture.service.cancelled, fixture.service.begun);
    driver_clear(&driver);
    fixture_close(&fixture);
}

static void test_stalls(void)
{
    for (int kind = GRPCC_UNARY; kind <= GRPCC_BIDI_STREAMING; kind++) {
        for (unsigned stall_at = 0; stall_at < (kind == GRPCC_UNARY ? 1 : 3); stall_at++) {
            struct driver call = {.kind = (enum grpcc_kind)kind, .messages = 4, .payload = 10};

            run_stalled(&call, stall_at, cancel, 1);
            run_stalled(&call, stall_at, lose_connection, 14);
            run_stalled(&call, stall_at, cancel_all, 14);
            call.options.timeout_ms = 30;
            run_stalled(&call, stall_at, NULL, 4);
        }
    }
}

/* It is the client that does nothing, with more than the transport buffers on the way to it. */
static void test_stalled_client(void)
{
    struct driver call = {
        .kind = GRPCC_SERVER_STREAMING, .messages = 1000, .payload = 100000, .never_reads = true};

    call.options.timeout_ms = 50;
    for (int i = 0; i < 3; i++) {
        struct fixture fixture;
        struct driver driver = call;

        if (i)
            driver.options.timeout_ms = 0;
        fixture_open(&fixture, NULL);
        driver_start(&driver, &fixture);
        if (i) {
            fixture_run_until_count(&fixture, &fixture.service.written, 1);
            CHECK(!driver.over);
            (i == 1 ? cancel : lose_connection)(&fixture, &driver);
        }
        driver_run(&driver);
        CHECK_INT(driver.code, i == 0 ? 4 : i == 1 ? 1 : 14);
        driver_clear(&driver);
        fixture_close(&fixture);
    }
}

/* A deadline that has passed before anything is sent. */
static void test_hopeless_deadline(void)
{
    struct fixture fixture;

    fixture_open(&fixture, NULL);
    for (int kind = GRPCC_UNARY; kind <= GRPCC_BIDI_STREAMING; kind++) {
        for (int round = 0; round < 20; round++) {
            struct driver driver = {.kind = (enum grpcc_kind)kind,
                                    .messages = 50,
                                    .payload = 1000,
                                    .options = {.timeout_ms = 1}};

            driver_start(&driver, &fixture);
            driver_run(&driver);
            CHECK(driver.code == 4 || driver.code == 0);
            driver_clear(&driver);
        }
    }
    fixture_close(&fixture);
}

/* A stream on which nothing was started yet. */
static void test_cancel_before_anything(void)
{
    struct fixture fixture;
    struct driver driver = {
        .kind = GRPCC_BIDI_STREAMING, .never_reads = true, .never_half_closes = true};

    fixture_open(&fixture, NULL);
    driver_start(&driver, &fixture);
    driver_cancel(&driver);
    driver_run(&driver);
    CHECK_INT(driver.code, 1);
    CHECK_INT(fixture.service.begun, 0);
    driver_clear(&driver);
    fixture_close(&fixture);
}

int main(void)
{
    grpcc_init();
    test_every_step();
    test_stalls();
    test_stalled_client();
    test_hopeless_deadline();
    test_cancel_before_anything();
    grpcc_shutdown();
    return heel_test_end();
}
