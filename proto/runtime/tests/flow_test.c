/* Back-pressure: who doesn't read stops the writer, and what is in between stays small. */
#include "base/test.h"
#include "proto/runtime/tests/driver.h"

enum { PAYLOAD = 65536, MESSAGES = 4000, MAX_BUFFERED = 16 << 20, STALLED = 200 };

/* The client writes 256 MB, the server has stopped reading after two messages. */
static void test_stalled_server(struct fixture *fixture)
{
    struct driver driver = {
        .kind = GRPCC_CLIENT_STREAMING, .messages = MESSAGES, .payload = PAYLOAD};

    fixture->service.stalls = true;
    fixture->service.stall_at = 2;
    driver_start(&driver, fixture);
    fixture_run_until_count(fixture, &fixture->service.stalled, 1);
    fixture_settle(fixture, 200);
    CHECK(!driver.over);
    printf("a stalled server took %u messages of 64 KiB\n", driver.written);
    CHECK(driver.written >= 2);
    CHECK(driver.written * PAYLOAD < MAX_BUFFERED);
    CHECK(driver.writing);
    driver_cancel(&driver);
    driver_run(&driver);
    CHECK_INT(driver.code, 1);
    driver_clear(&driver);
    fixture_run_until_count(fixture, &fixture->service.ended, fixture->service.begun);
    fixture->service.stalls = false;
}

/* The server writes 256 MB to a client that reads nothing: then the client goes on, and everything
 * comes. */
static void test_stalled_client(struct fixture *fixture)
{
    struct driver deaf = {.kind = GRPCC_SERVER_STREAMING,
                          .messages = MESSAGES,
                          .payload = PAYLOAD,
                          .never_reads = true};
    struct driver other = {.kind = GRPCC_SERVER_STREAMING, .messages = 100, .payload = PAYLOAD};

    driver_start(&deaf, fixture);
    fixture_run_until_count(fixture, &fixture->service.written, 1);
    fixture_settle(fixture, 200);
    printf("a stalled client was sent %u messages of 64 KiB\n", fixture->service.written);
    CHECK(fixture->service.written >= 1);
    CHECK(fixture->service.written * PAYLOAD < MAX_BUFFERED);
    /* Meanwhile another stream on the same connection is not held up. */
    driver_start(&other, fixture);
    driver_run(&other);
    CHECK_INT(other.code, 0);
    CHECK_INT(other.received, 100);
    driver_resume_reading(&deaf);
    driver_run(&deaf);
    CHECK_INT(deaf.code, 0);
    CHECK_INT(deaf.received, MESSAGES);
}

/* Uploads to handlers that don't read hold a window each, which is far from what makes the server
 * cut streams. */
static void test_many_stalled(struct fixture *fixture)
{
    static struct driver drivers[STALLED];
    unsigned written = 0;

    fixture->service.stalls = true;
    fixture->service.stalled = 0;
    fixture->service.stall_at = 1;
    for (int i = 0; i < STALLED; i++) {
        drivers[i] = (struct driver){
            .kind = GRPCC_CLIENT_STREAMING, .messages = MESSAGES, .payload = PAYLOAD};
        driver_start(&drivers[i], fixture);
    }
    fixture_run_until_count(fixture, &fixture->service.stalled, STALLED);
    fixture_settle(fixture, 200);
    for (int i = 0; i < STALLED; i++) {
        CHECK(!drivers[i].over);
        written += drivers[i].written;
        driver_cancel(&drivers[i]);
    }
    printf("%d stalled uploads took %u messages of 64 KiB\n", STALLED, written);
    for (int i = 0; i < STALLED; i++) {
        driver_run(&drivers[i]);
        driver_clear(&drivers[i]);
    }
    fixture_run_until_count(fixture, &fixture->service.ended, fixture->service.begun);
    fixture->service.stalls = false;
}

int main(void)
{
    grpcc_init();
    for (int with_waker = 0; with_waker < 2; with_waker++) {
        struct fixture_options options = {.with_waker = with_waker};
        struct fixture fixture;

        fixture_open(&fixture, &options);
        test_stalled_server(&fixture);
        test_stalled_client(&fixture);
        test_many_stalled(&fixture);
        fixture_close(&fixture);
    }
    grpcc_shutdown();
    return heel_test_end();
}
