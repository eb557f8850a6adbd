/* The smallest test frame: a test is a program; CHECK macros print both operands and count;
 * heel_test_end() is main's return value. A test that can't run here returns heel_test_skip("why"):
 * exit status 77. */
#ifndef HEEL_BASE_TEST_H
#define HEEL_BASE_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int heel_test_failures;

#define HEEL_TEST_FAIL(...) \
    do { \
        fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, __func__); \
        fprintf(stderr, __VA_ARGS__); \
        fputc('\n', stderr); \
        heel_test_failures++; \
    } while (0)

#define CHECK(condition) \
    do { \
        if (!(condition)) \
            HEEL_TEST_FAIL("not so: %s", #condition); \
    } while (0)

#define CHECK_INT(actual, expected) \
    do { \
        long long heel_actual = (long long)(actual), heel_expected = (long long)(expected); \
        if (heel_actual != heel_expected) \
            HEEL_TEST_FAIL("%s is %lld, expected %lld", #actual, heel_actual, heel_expected); \
    } while (0)

#define CHECK_STR(actual, expected) \
    do { \
        const char *heel_actual = (actual), *heel_expected = (expected); \
        if (!heel_actual || !heel_expected ? heel_actual != heel_expected \
                                           : strcmp(heel_actual, heel_expected) != 0) \
            HEEL_TEST_FAIL("%s is \"%s\", expected \"%s\"", #actual, \
                           heel_actual ? heel_actual : "(null)", \
                           heel_expected ? heel_expected : "(null)"); \
    } while (0)

/* For what the rest of the test can't do without. */
#define REQUIRE(condition) \
    do { \
        if (!(condition)) { \
            HEEL_TEST_FAIL("required, but not so: %s", #condition); \
            exit(1); \
        } \
    } while (0)

static inline int heel_test_end(void)
{
    if (heel_test_failures)
        fprintf(stderr, "%d checks failed\n", heel_test_failures);
    return heel_test_failures ? 1 : 0;
}

static inline int heel_test_skip(const char *why)
{
    printf("SKIP: %s\n", why);
    return 77;
}

#endif
