#include "base/duration.h"

#include "base/test.h"

static void check(const char *text, long long expected)
{
    int64_t milliseconds = -1;
    int result = heel_duration_parse(text, &milliseconds);

    if (result != (expected < 0 ? -1 : 0) || milliseconds != expected)
        HEEL_TEST_FAIL("\"%s\" is %lld (%d), expected %lld", text, (long long)milliseconds, result,
                       expected);
}

int main(void)
{
    check("500ms", 500);
    check("30s", 30000);
    check("1h30m", 5400000);
    check("1.5s", 1500);
    check("2d", 172800000);
    check("", -1);
    check("0s", -1);
    check("5", -1);
    check("5x", -1);
    check("-5s", -1);
    check("1..5s", -1);
    check("s", -1);
    check("5 s", -1);
    check("99999999999999999999d", -1);
    return heel_test_end();
}
