#include "server/edge.h"

#include <errno.h>
#include <string.h>

#include "base/test.h"

static struct grpcc_status *status_of_errno(int system_errno)
{
    heel_autoerror struct heel_error *error = NULL;

    heel_error_set_errno(&error, system_errno, "a step");
    return edge_status(error);
}

/* A system call's "no such file" is none of the caller's. */
static void test_what_names_no_reason_is_a_defect(void)
{
    static const int numbers[] = {ENOENT, EACCES, EINVAL};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(numbers); i++) {
        struct grpcc_status *status = status_of_errno(numbers[i]);

        CHECK_INT(status->code, HEEL_INTERNAL);
        CHECK_STR(status->reason, "INTERNAL");
        grpcc_status_free(status);
    }
}

static void check_exhausted(int system_errno, const char *limit)
{
    struct grpcc_status *status = status_of_errno(system_errno);

    CHECK_INT(status->code, HEEL_RESOURCE_EXHAUSTED);
    CHECK_STR(status->reason, "LIMIT_REACHED");
    CHECK_STR(grpcc_status_metadata(status, "limit"), limit);
    CHECK((strstr(status->message, "ulimit -n") != NULL) == (system_errno == EMFILE));
    CHECK(status->retry_delay_ms > 0);
    grpcc_status_free(status);
}

static void test_whose_precondition_failed(void)
{
    static const char *const keys[] = {"feature", "sandbox_id", "process_id"};
    static const char *const subjects[] = {"host", "s", "p"};
    static const char *const values[] = {"Landlock", "s", "p"};
    heel_autoerror struct heel_error *error = NULL;

    heel_error_set(&error, HEEL_FAILED_PRECONDITION, "NO_TERMINAL", "it has none");
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(keys); i++) {
        struct grpcc_status *status;

        heel_error_add_metadata(error, keys[i], "%s", values[i]);
        status = edge_status(error);
        REQUIRE(status->precondition_count == 1);
        CHECK_STR(status->preconditions[0].subject, subjects[i]);
        grpcc_status_free(status);
    }
}

static void test_a_host_that_ran_out_of_something(void)
{
    check_exhausted(EMFILE, "RLIMIT_NOFILE");
    check_exhausted(ENOMEM, "host");
}

static void test_a_field(void)
{
    heel_autoerror struct heel_error *error = NULL;
    struct grpcc_status *status;

    heel_error_set_field(&error, "spec.level", "spec.level is wrong");
    status = edge_status(error);
    CHECK_INT(status->code, HEEL_INVALID_ARGUMENT);
    CHECK_INT(status->field_count, 1);
    CHECK_STR(grpcc_status_metadata(status, "field"), "spec.level");
    grpcc_status_free(status);
}

int main(void)
{
    test_what_names_no_reason_is_a_defect();
    test_a_host_that_ran_out_of_something();
    test_whose_precondition_failed();
    test_a_field();
    return heel_test_end();
}
