#include "server/denials.h"

#include "base/test.h"

static void add(struct denials *denials, enum heel_denial_kind kind, const char *program,
                const char *target, const char *right)
{
    denials_add(denials, &(struct heel_denial){.kind = kind,
                                               .program = program,
                                               .target = target,
                                               .right = right,
                                               .rule = "a rule",
                                               .remedy = ""});
}

#define OBSERVED HEEL_DENIAL_OBSERVED
#define INFERRED HEEL_DENIAL_INFERRED

static void test_what_is_said_again(void)
{
    struct denials denials = {0};

    add(&denials, OBSERVED, "/bin/cat", "/a", "read");
    add(&denials, OBSERVED, "/bin/cat", "/a", "read");
    CHECK_INT(denials.count, 1);
    add(&denials, OBSERVED, "/bin/cat", "/a", "write");
    add(&denials, OBSERVED, "/bin/tac", "/a", "read");
    CHECK_INT(denials.count, 3);
    denials_clear(&denials);
}

/* A program complains of what was seen to be refused, and perhaps of something else. */
static void test_what_was_seen_is_not_inferred(void)
{
    struct denials denials = {0};

    add(&denials, OBSERVED, "/bin/sh", "/a", "write");
    add(&denials, INFERRED, "", "/a", "write");
    add(&denials, INFERRED, "", "/a", "read");
    CHECK_INT(denials.count, 1);
    add(&denials, OBSERVED, "/bin/sh", "/dir", "write");
    add(&denials, INFERRED, "", "/dir/made", "write");
    CHECK_INT(denials.count, 2);
    add(&denials, INFERRED, "", "/dir/made/below", "write");
    add(&denials, INFERRED, "", "/directory/made", "write");
    add(&denials, INFERRED, "", "/b", "read");
    CHECK_INT(denials.count, 5);
    add(&denials, OBSERVED, "/bin/sh", "/readable", "read");
    add(&denials, INFERRED, "", "/readable/made", "write");
    CHECK_INT(denials.count, 7);
    add(&denials, OBSERVED, "/bin/sh", "/", "write");
    add(&denials, INFERRED, "", "/made", "write");
    CHECK_INT(denials.count, 8);
    denials_clear(&denials);
}

static void test_they_are_bounded(void)
{
    struct denials denials = {0};

    for (int i = 0; i <= DENIALS_MAX; i++) {
        char target[16];

        CHECK(!denials.truncated);
        snprintf(target, sizeof target, "/%d", i);
        add(&denials, OBSERVED, "", target, "read");
    }
    CHECK_INT(denials.count, DENIALS_MAX);
    CHECK(denials.truncated);
    denials_clear(&denials);
}

int main(void)
{
    test_what_is_said_again();
    test_what_was_seen_is_not_inferred();
    test_they_are_bounded();
    return heel_test_end();
}
