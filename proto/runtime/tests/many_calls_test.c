/* 10,000 calls of all kinds, 50 at a time; some fail, some are cancelled, some have no chance to
 * meet their deadline. Run under AddressSanitizer it shows that nothing leaks and nothing is freed
 * twice. */
#include "base/test.h"
#include "proto/runtime/tests/driver.h"

enum { CALLS = 10000, AT_ONCE = 50 };

static struct driver make_call(unsigned number)
{
    struct driver driver = {.kind = (enum grpcc_kind)(number % 4),
                            .messages = 1 + number % 3,
                            .payload = number % 7 * 100};

    if (number % 5 == 1)
        driver.fail_code = 9;
    if (number % 11 == 3)
        driver.options.timeout_ms = 1;
    return driver;
}

static bool code_fits(const struct driver *driver, bool cancelled)
{
    return driver->code == driver->fail_code || (cancelled && driver->code == 1) ||
           (driver->options.timeout_ms && driver->code == 4);
}

int main(void)
{
    struct fixture_options options = {.with_waker = true};
    struct fixture fixture;
    static struct driver calls[AT_ONCE];
    unsigned started = 0, codes[17] = {0};

    grpcc_init();
    fixture_open(&fixture, &options);
    while (started < CALLS) {
        for (unsigned i = 0; i < AT_ONCE; i++) {
            calls[i] = make_call(started++);
            driver_start(&calls[i], &fixture);
        }
        for (unsigned i = 0; i < AT_ONCE; i++) {
            bool cancels = i % 7 == 5;

            if (cancels && i % 2)
                fixture_step(&fixture, 1);
            if (cancels)
                driver_cancel(&calls[i]);
        }
        for (unsigned i = 0; i < AT_ONCE; i++) {
            driver_run(&calls[i]);
            if (!code_fits(&calls[i], i % 7 == 5))
                HEEL_TEST_FAIL("call %u: %d %s", started - AT_ONCE + i, calls[i].code,
                               calls[i].text);
            codes[calls[i].code]++;
            driver_clear(&calls[i]);
        }
    }
    printf("%u OK, %u CANCELLED, %u DEADLINE_EXCEEDED, %u failed as asked\n", codes[0], codes[1],
           codes[4], codes[9]);
    CHECK(codes[0] > CALLS / 2);
    CHECK(codes[1] > 0);
    CHECK(codes[9] > CALLS / 10);
    fixture_close(&fixture);
    grpcc_shutdown();
    return heel_test_end();
}
