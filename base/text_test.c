#include "base/text.h"

#include "base/test.h"

static void test_buffer_grows(void)
{
    heel_autobuffer struct heel_buffer buffer = {0};

    for (int i = 0; i < 1000; i++)
        heel_buffer_printf(&buffer, "%d,", i % 10);
    CHECK_INT(buffer.length, 2000);
    CHECK_INT(strlen(buffer.data), 2000);
    heel_buffer_append(&buffer, "", 0);
    CHECK_INT(buffer.length, 2000);
}

static void check_escaped(const char *data, size_t length, const char *expected)
{
    heel_autobuffer struct heel_buffer buffer = {0};

    heel_buffer_append_escaped(&buffer, data, length);
    CHECK_STR(buffer.data, expected);
}

static void test_escape(void)
{
    check_escaped("a\"b\\\n\x1b[31m", 10, "a\\\"b\\\\\\n\\x1b[31m");
    check_escaped("\0", 1, "\\x00");
    check_escaped("gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f");
    check_escaped("\xc2\x9b", 2, "\\xc2\\x9b");
    check_escaped("\xff\x7f", 2, "\\xff\\x7f");
    check_escaped("\xe2\x80\xaetxt", 6, "\\xe2\\x80\\xaetxt"); /* U+202E: right to left */
    check_escaped("\xe2\x81\xa6", 3, "\\xe2\\x81\\xa6");       /* U+2066: an isolate */
    check_escaped("\xe2\x80\xa8", 3, "\\xe2\\x80\\xa8");       /* U+2028: a line's end */
    check_escaped("\xd8\x9c", 2, "\\xd8\\x9c");                /* U+061C */
    check_escaped("\xe2\x82\xac", 3, "\xe2\x82\xac");          /* the euro */
}

static void test_utf8(void)
{
    CHECK(heel_utf8_valid("", 0));
    CHECK(heel_utf8_valid("\xf0\x9f\x98\x80", 4));
    CHECK(!heel_utf8_valid("\xc0\xaf", 2));
    CHECK(!heel_utf8_valid("\xed\xa0\x80", 3));
    CHECK(!heel_utf8_valid("\xf4\x90\x80\x80", 4));
    CHECK(!heel_utf8_valid("\xe2\x82", 2));
    CHECK(!heel_utf8_valid("a\x80", 2));
}

int main(void)
{
    test_buffer_grows();
    test_escape();
    test_utf8();
    return heel_test_end();
}
