/* Which plans may share a template, and that none may whose caller named something. */
#include "backends/linux/confine/confine.h"

#include <unistd.h>

#include "backends/linux/confine/confine_fixture.h"
#include "base/test.h"

#define WORKS "/var/lib/works"

static struct heel_plan *plan_of(enum heel_level level, uid_t uid, const char *work)
{
    struct heel_sandbox_spec spec = {.id = "x", .level = level, .caller = {uid, uid, NULL, 0}};
    struct heel_plan *plan = NULL;

    REQUIRE(heel_fixture_plan(&spec, uid, work, NULL, &plan, NULL) == 0);
    return plan;
}

static void check_same(const struct heel_plan *left, const struct heel_plan *right, bool same)
{
    CHECK_INT(heel_plan_fingerprint(left) == heel_plan_fingerprint(right), same);
}

static void test_fingerprints(void)
{
    static const enum heel_level levels[] = {HEEL_LEVEL_STRICT, HEEL_LEVEL_DEFAULT,
                                             HEEL_LEVEL_PERMISSIVE};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(levels); i++) {
        heel_autoplan struct heel_plan *one = plan_of(levels[i], 4711, WORKS "/1");
        heel_autoplan struct heel_plan *two = plan_of(levels[i], 4711, WORKS "/2");
        heel_autoplan struct heel_plan *other = plan_of(levels[(i + 1) % 3], 4711, WORKS "/1");

        CHECK(heel_plan_fits_template(one, WORKS));
        check_same(one, two, true);
        check_same(one, other, false);
    }
}

/* Working directories are found by their names, and nowhere else. */
static void test_works(void)
{
    static const char *const elsewhere[] = {WORKS,        WORKS "/",   "/var/lib/work/1",
                                            WORKS "/1/2", WORKS "/..", "/var/lib/works2/1"};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(elsewhere); i++) {
        heel_autoplan struct heel_plan *plan = plan_of(HEEL_LEVEL_DEFAULT, 4711, elsewhere[i]);

        CHECK(!heel_plan_fits_template(plan, WORKS));
    }
}

static void test_named(void)
{
    struct heel_path_rule rule = {"/usr/share", HEEL_ACCESS_READ};
    struct heel_sandbox_spec spec = {.id = "x",
                                     .level = HEEL_LEVEL_STRICT,
                                     .paths = &rule,
                                     .path_count = 1,
                                     .caller = {geteuid(), getegid(), NULL, 0}};
    heel_autoplan struct heel_plan *plan = NULL;

    REQUIRE(heel_fixture_plan(&spec, geteuid(), WORKS "/1", NULL, &plan, NULL) == 0);
    CHECK(!heel_plan_fits_template(plan, WORKS));
}

int main(void)
{
    test_fingerprints();
    test_works();
    test_named();
    return heel_test_end();
}
