#include "base/error.h"

#include <errno.h>

#include "base/test.h"

static int fail_inside(struct heel_error **err)
{
    return heel_error_set_errno(err, ENOENT, "open %s", "/x");
}

static void test_errno_chooses_the_code(void)
{
    heel_autoerror struct heel_error *error = NULL;

    CHECK_INT(fail_inside(&error), -1);
    CHECK_INT(error->code, HEEL_NOT_FOUND);
    CHECK_INT(error->system_errno, ENOENT);
    CHECK_STR(error->message, "open /x: No such file or directory");
}

static void test_wrap_and_metadata(void)
{
    heel_autoerror struct heel_error *error = NULL;

    heel_error_set_field(&error, "spec.level", "unknown level %d", 9);
    heel_error_wrap(&error, "sandbox %s", "a");
    CHECK_STR(error->message, "sandbox a: unknown level 9");
    CHECK_STR(error->field, "spec.level");
    CHECK_STR(error->reason, "INVALID_FIELD");
    for (int i = 0; i < HEEL_ERROR_METADATA_MAX + 3; i++)
        heel_error_add_metadata(error, "have", "%d", i);
    CHECK_INT(error->metadata_count, HEEL_ERROR_METADATA_MAX);
    CHECK_STR(error->metadata[1].value, "1");
}

static void test_newer_error_replaces_and_null_is_fine(void)
{
    heel_autoerror struct heel_error *error = NULL;
    struct heel_error *taken = NULL;

    CHECK_INT(fail_inside(NULL), -1);
    fail_inside(&error);
    heel_error_set(&error, HEEL_ABORTED, NULL, "second");
    CHECK_STR(error->message, "second");
    heel_error_propagate(&taken, &error);
    CHECK(error == NULL);
    CHECK_INT(taken->code, HEEL_ABORTED);
    heel_error_free(taken);
    heel_error_free(NULL);
}

static void test_code_names(void)
{
    CHECK_STR(heel_code_name(HEEL_RESOURCE_EXHAUSTED), "RESOURCE_EXHAUSTED");
    CHECK_STR(heel_code_name((enum heel_code)99), "UNKNOWN");
}

int main(void)
{
    test_errno_chooses_the_code();
    test_wrap_and_metadata();
    test_newer_error_replaces_and_null_is_fine();
    test_code_names();
    return heel_test_end();
}
