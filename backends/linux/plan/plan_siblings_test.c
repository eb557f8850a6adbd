/* Rules for made-up trees, printed and compared; and a model of Landlock that says what they give.
 */
#include "backends/linux/kernel/landlock_rights.h"
#include "backends/linux/plan/plan_build.h"
#include "backends/linux/plan/plan_siblings.h"
#include "base/test.h"

#define R HEEL_LANDLOCK_READ_FILE
#define RL (HEEL_LANDLOCK_READ_FILE | HEEL_LANDLOCK_READ_DIR)
#define W HEEL_LANDLOCK_WRITE_FILE

static const char *const tree[] = {
    "/home",           "/home/me",        "/home/me/.ssh",  "/home/me/.ssh/key",
    "/home/me/src",    "/home/me/src/a",  "/home/me/src/b", "/home/me/src/b/deep",
    "/home/me/notes",  "/home/me/.sshrc", "/home/you",      "/usr",
    "/usr/bin",        "/state",          "/state/one",     "/state/one/work",
    "/state/one/home", "/state/two",
};

static bool is_entry(const char *path, const char *directory)
{
    size_t length = strcmp(directory, "/") == 0 ? 0 : strlen(directory);

    return strncmp(path, directory, length) == 0 && path[length] == '/' &&
           !strchr(path + length + 1, '/');
}

static int list(void *data, const char *directory, struct heel_siblings *siblings)
{
    unsigned *listed = data;

    (*listed)++;
    if (strcmp(directory, "/state") == 0)
        return -1; /* as for whoever may pass through it only */
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(tree); i++)
        if (is_entry(tree[i], directory))
            heel_siblings_add(siblings, strrchr(tree[i], '/') + 1, 1, i + 1);
    return 0;
}

/* What Landlock would give at `path`. */
static uint64_t given_at(const struct heel_plan *plan, const char *path)
{
    uint64_t rights = 0;

    for (size_t i = 0; i < plan->rule_count; i++)
        if (heel_path_is_at_or_below(path, plan->rules[i].path))
            rights |= plan->rules[i].rights;
    return rights;
}

struct wish {
    const char *path;
    uint64_t rights;
};

static struct heel_plan *plan_of(const struct wish *wishes, size_t count, unsigned *listed)
{
    struct heel_plan *plan = heel_xcalloc(1, sizeof(*plan));
    struct heel_grants grants = {0};
    heel_autoerror struct heel_error *error = NULL;

    for (size_t i = 0; i < count; i++)
        heel_grants_add(&grants, wishes[i].path, wishes[i].rights, "test");
    *listed = 0;
    REQUIRE(heel_plan_add_grants(plan, &grants, list, listed, &error) == 0);
    heel_grants_clear(&grants);
    return plan;
}

static void one_grant_is_one_rule(void)
{
    const struct wish wishes[] = {{"/usr", RL}, {"/home/me/src", RL | W}};
    unsigned listed;
    heel_autoplan struct heel_plan *plan = plan_of(wishes, HEEL_ARRAY_LENGTH(wishes), &listed);

    CHECK_INT(plan->rule_count, 2);
    CHECK_INT(listed, 0);
    CHECK_INT(given_at(plan, "/usr/bin"), RL);
    CHECK_INT(given_at(plan, "/home/me/src/b/deep"), RL | W);
    CHECK_INT(given_at(plan, "/home/me/notes"), 0);
}

static void a_hole_opens_the_directories_above_it(void)
{
    const struct wish wishes[] = {{"/home", RL}, {"/home/me/.ssh", 0}};
    unsigned listed;
    heel_autoplan struct heel_plan *plan = plan_of(wishes, HEEL_ARRAY_LENGTH(wishes), &listed);

    CHECK_INT(listed, 2);
    CHECK_INT(given_at(plan, "/home/me/.ssh"), 0);
    CHECK_INT(given_at(plan, "/home/me/.ssh/key"), 0);
    CHECK_INT(given_at(plan, "/home/me"), 0);
    CHECK_INT(given_at(plan, "/home/me/.sshrc"), RL);
    CHECK_INT(given_at(plan, "/home/me/src/a"), RL);
    CHECK_INT(given_at(plan, "/home/you"), RL);
    CHECK_INT(given_at(plan, "/home/me/made later"), 0);
}

static void a_hole_that_is_not_there_yet_is_one(void)
{
    const struct wish wishes[] = {{"/home/me", RL}, {"/home/me/.aws/credentials", 0}};
    unsigned listed;
    heel_autoplan struct heel_plan *plan = plan_of(wishes, HEEL_ARRAY_LENGTH(wishes), &listed);

    CHECK_INT(given_at(plan, "/home/me/.aws"), 0);
    CHECK_INT(given_at(plan, "/home/me/.aws/credentials"), 0);
    CHECK_INT(given_at(plan, "/home/me/notes"), RL);
}

static void what_all_have_in_common_stays(void)
{
    const struct wish wishes[] = {{"/home/me/src", RL | W}, {"/home/me/src/b", RL}};
    unsigned listed;
    heel_autoplan struct heel_plan *plan = plan_of(wishes, HEEL_ARRAY_LENGTH(wishes), &listed);

    CHECK_INT(given_at(plan, "/home/me/src"), RL);
    CHECK_INT(given_at(plan, "/home/me/src/a"), RL | W);
    CHECK_INT(given_at(plan, "/home/me/src/b"), RL);
    CHECK_INT(given_at(plan, "/home/me/src/b/deep"), RL);
}

static void the_nearest_wins_in_a_hole_in_a_grant(void)
{
    const struct wish wishes[] = {
        {"/home", R}, {"/home/me", 0}, {"/home/me/src", RL | W}, {"/home/me/src/b", 0}};
    unsigned listed;
    heel_autoplan struct heel_plan *plan = plan_of(wishes, HEEL_ARRAY_LENGTH(wishes), &listed);

    CHECK_INT(given_at(plan, "/home/you"), R);
    CHECK_INT(given_at(plan, "/home/me/notes"), 0);
    CHECK_INT(given_at(plan, "/home/me/src/a"), RL | W);
    CHECK_INT(given_at(plan, "/home/me/src/b/deep"), 0);
}

static void a_grant_below_what_cant_be_listed_is_reached(void)
{
    const struct wish wishes[] = {
        {"/", RL}, {"/state", 0}, {"/state/one/work", RL | W}, {"/state/one/home", RL | W}};
    unsigned listed;
    heel_autoplan struct heel_plan *plan = plan_of(wishes, HEEL_ARRAY_LENGTH(wishes), &listed);

    CHECK_INT(given_at(plan, "/state/one/work"), RL | W);
    CHECK_INT(given_at(plan, "/state/one"), 0);
    CHECK_INT(given_at(plan, "/state/two"), 0);
    CHECK_INT(given_at(plan, "/usr/bin"), RL);
}

/* So that nothing that is put in an entry's place meanwhile gets its rights. */
static void entries_are_pinned(void)
{
    const struct wish wishes[] = {{"/home/me", RL}, {"/home/me/.ssh", 0}};
    unsigned listed;
    heel_autoplan struct heel_plan *plan = plan_of(wishes, HEEL_ARRAY_LENGTH(wishes), &listed);

    CHECK_INT(plan->rule_count, 3);
    for (size_t i = 0; i < plan->rule_count; i++) {
        CHECK_INT(plan->rules[i].device, 1);
        CHECK_STR(plan->rules[i].path, tree[plan->rules[i].inode - 1]);
    }
}

static int list_endless(void *data, const char *directory, struct heel_siblings *siblings)
{
    (void)data;
    (void)directory;
    for (unsigned i = 0; i < 40000; i++) {
        heel_autofree char *name = heel_format("%u", i);

        heel_siblings_add(siblings, name, 1, i + 1);
    }
    return 0;
}

static void too_many_entries_are_refused(void)
{
    heel_autoplan struct heel_plan *plan = heel_xcalloc(1, sizeof(*plan));
    heel_autoerror struct heel_error *error = NULL;
    struct heel_grants grants = {0};

    heel_grants_add(&grants, "/huge", RL, "test");
    heel_grants_add(&grants, "/huge/hole", 0, "test");
    CHECK_INT(heel_plan_add_grants(plan, &grants, list_endless, NULL, &error), -1);
    REQUIRE(error);
    CHECK_INT(error->code, HEEL_FAILED_PRECONDITION);
    heel_grants_clear(&grants);
}

/* Every small set of wishes: nothing gets more than the nearest wish says, at any path; and what
 * was there when the rules were made gets all of it, but for directories that had to be opened. */
static void no_wish_is_exceeded(void)
{
    static const uint64_t choices[] = {0, R, RL, RL | W};
    static const char *const paths[] = {"/home", "/home/me", "/home/me/.ssh", "/home/me/src/b"};
    unsigned listed;

    for (unsigned set = 0; set < 256; set++) {
        struct wish wishes[4];
        struct heel_plan *plan;

        for (unsigned i = 0; i < 4; i++)
            wishes[i] = (struct wish){paths[i], choices[set >> (2 * i) & 3]};
        plan = plan_of(wishes, 4, &listed);
        for (size_t i = 0; i < HEEL_ARRAY_LENGTH(tree); i++) {
            const struct wish *nearest = NULL;
            bool opened = false;

            for (unsigned j = 0; j < 4; j++) {
                if (heel_path_is_at_or_below(tree[i], wishes[j].path))
                    nearest = &wishes[j];
                opened |= heel_path_is_at_or_below(wishes[j].path, tree[i]);
            }
            CHECK_INT(given_at(plan, tree[i]) & ~(nearest ? nearest->rights : 0), 0);
            if (!opened)
                CHECK_INT(given_at(plan, tree[i]), nearest ? nearest->rights : 0);
        }
        heel_plan_free(plan);
    }
}

int main(void)
{
    one_grant_is_one_rule();
    a_hole_opens_the_directories_above_it();
    a_hole_that_is_not_there_yet_is_one();
    what_all_have_in_common_stays();
    the_nearest_wins_in_a_hole_in_a_grant();
    a_grant_below_what_cant_be_listed_is_reached();
    entries_are_pinned();
    too_many_entries_are_refused();
    no_wish_is_exceeded();
    return heel_test_end();
}
