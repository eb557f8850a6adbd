/* golden_test EXPECTED ACTUAL ...: compares pairs of files line by line. After a wanted change,
 * copy the new file over the expected one and read the difference as a user of the header would. */
#include <stdio.h>

#include "base/test.h"

enum { LINE = 1024 };

static void compare(const char *expected_path, const char *actual_path)
{
    FILE *expected = fopen(expected_path, "r"), *actual = fopen(actual_path, "r");
    char expected_line[LINE], actual_line[LINE];

    REQUIRE(expected && actual);
    for (int number = 1;; number++) {
        const char *left = fgets(expected_line, LINE, expected);
        const char *right = fgets(actual_line, LINE, actual);

        if (!left && !right)
            break;
        if (!left || !right || strcmp(left, right) != 0) {
            HEEL_TEST_FAIL("%s line %d:\n  expected %s  actual   %s", actual_path, number,
                           left ? left : "the end\n", right ? right : "the end\n");
            break;
        }
    }
    fclose(expected);
    fclose(actual);
}

int main(int argc, char **argv)
{
    REQUIRE(argc >= 3 && argc % 2 == 1);
    for (int i = 1; i < argc; i += 2)
        compare(argv[i], argv[i + 1]);
    return heel_test_end();
}
