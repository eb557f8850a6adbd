/* Switches of protections in plans for a made-up host, whose homes are made for this test. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/linux/facts/host_facts.h"
#include "backends/linux/plan/plan.h"
#include "backends/linux/plan/plan_acting.h"
#include "backends/linux/plan/plan_build.h"
#include "base/test.h"

#define STRANGER 4711

static struct heel_host_facts facts;
static char *base;                        /* canonical */
static char *home, *ssh, *key, *npmrc;    /* the caller's */
static char *other_home, *mail, *sockets; /* somebody else's; outside homes; never shown */

static char *make_dir(const char *name)
{
    char *path = heel_format("%s/%s", base, name);

    REQUIRE(mkdir(path, 0755) == 0);
    return path;
}

static char *make_file(const char *name)
{
    char *path = heel_format("%s/%s", base, name);
    heel_autoclose int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    REQUIRE(fd >= 0);
    return path;
}

static void make_up_host(void)
{
    heel_autofree char *homes = make_dir("homes");

    home = make_dir("homes/me");
    ssh = make_dir("homes/me/.ssh");
    key = make_file("homes/me/.ssh/id");
    npmrc = make_file("homes/me/.npmrc");
    other_home = make_dir("homes/other");
    mail = make_dir("mail");
    sockets = make_dir("sockets");
    heel_host_facts_add_entry(&facts.top, &facts.top_count, "/usr", NULL, true);
    /* What DEFAULT shows of this host holds the mail and the sockets, and no homes. */
    heel_host_facts_add_entry(&facts.top, &facts.top_count, mail, NULL, true);
    heel_host_facts_add_entry(&facts.top, &facts.top_count, sockets, NULL, true);
    heel_host_facts_add_user(&facts, geteuid(), "me", home, true);
    heel_host_facts_add_user(&facts, STRANGER, "other", other_home, true);
    heel_host_facts_add_secret(&facts.secrets, &facts.secret_count, ssh,
                               HEEL_PROTECTED_CREDENTIALS);
    heel_host_facts_add_secret(&facts.secrets, &facts.secret_count, npmrc, HEEL_PROTECTED_PACKAGES);
    heel_host_facts_add_secret(&facts.masks, &facts.mask_count, mail, HEEL_PROTECTED_PERSONAL);
    heel_host_facts_add_secret(&facts.masks, &facts.mask_count, sockets, HEEL_PROTECTED_ALWAYS);
}

static int make(enum heel_level level, const struct heel_protection_switch *switches, size_t count,
                struct heel_plan **plan, struct heel_error **err)
{
    static const char *const hidden[] = {"/var/lib/heel", NULL};
    struct heel_sandbox_spec spec = {
        .id = "test",
        .level = level,
        .switches = switches,
        .switch_count = count,
        .caller = {.uid = geteuid(), .gid = getegid()},
    };
    struct heel_plan_input input = {.spec = &spec,
                                    .facts = &facts,
                                    .work_source = "/state/work",
                                    .hidden = hidden,
                                    .uid = geteuid(),
                                    .gid = getegid()};

    return heel_plan_make(&input, plan, err);
}

#define PLAN(level, ...) \
    plan_of(level, (const struct heel_protection_switch[]){__VA_ARGS__}, \
            sizeof((const struct heel_protection_switch[]){__VA_ARGS__}) / \
                sizeof(struct heel_protection_switch))

static struct heel_plan *plan_of(enum heel_level level,
                                 const struct heel_protection_switch *switches, size_t count)
{
    heel_autoerror struct heel_error *error = NULL;
    struct heel_plan *plan = NULL;

    if (make(level, switches, count, &plan, &error) < 0) {
        HEEL_TEST_FAIL("no plan: %s", error->message);
        exit(1);
    }
    return plan;
}

static const struct heel_mount *last_at(const struct heel_plan *plan, const char *target)
{
    const struct heel_mount *found = NULL;

    for (size_t i = 0; i < plan->mount_count; i++)
        if (strcmp(plan->mounts[i].target, target) == 0)
            found = &plan->mounts[i];
    return found;
}

static int kind_at(const struct heel_plan *plan, const char *target)
{
    const struct heel_mount *mount = last_at(plan, target);

    return mount ? (int)mount->kind : -1;
}

static void check_shown(const struct heel_plan *plan, const char *path)
{
    const char *shown = plan->shown.data ? plan->shown.data : "";

    if (path && !strstr(shown, path))
        HEEL_TEST_FAIL("%s is not in what is shown: %s", path, shown);
    if (!path)
        CHECK_STR(shown, "");
}

static void default_shows_a_home_that_is_off(void)
{
    heel_autoplan struct heel_plan *without =
        PLAN(HEEL_LEVEL_DEFAULT, {.group = HEEL_PROTECTED_CLOUD});
    heel_autoplan struct heel_plan *plan =
        PLAN(HEEL_LEVEL_DEFAULT, {.group = HEEL_PROTECTED_USER_HOME});
    heel_autoplan struct heel_plan *strict =
        PLAN(HEEL_LEVEL_STRICT, {.group = HEEL_PROTECTED_USER_HOME});

    CHECK_INT(kind_at(without, home), -1);
    check_shown(without, NULL);
    CHECK_INT(kind_at(plan, home), HEEL_MOUNT_BIND);
    CHECK_INT(last_at(plan, home)->flags, HEEL_MOUNT_NAMED | HEEL_MOUNT_EXECUTABLE);
    CHECK_INT(kind_at(plan, ssh), HEEL_MOUNT_MASK);
    CHECK_INT(kind_at(plan, npmrc), HEEL_MOUNT_MASK);
    CHECK_INT(kind_at(plan, other_home), -1);
    CHECK_INT(kind_at(strict, home), -1);
}

static void other_homes_are_a_group_of_their_own(void)
{
    heel_autoplan struct heel_plan *plan =
        PLAN(HEEL_LEVEL_DEFAULT, {.group = HEEL_PROTECTED_OTHER_HOMES});

    CHECK_INT(kind_at(plan, home), -1);
    CHECK_INT(kind_at(plan, other_home), HEEL_MOUNT_BIND);
}

static void groups_hide_on_their_own(void)
{
    heel_autoplan struct heel_plan *plan =
        PLAN(HEEL_LEVEL_DEFAULT, {.group = HEEL_PROTECTED_USER_HOME},
             {.group = HEEL_PROTECTED_PACKAGES}, {.group = HEEL_PROTECTED_PERSONAL});

    CHECK_INT(kind_at(plan, ssh), HEEL_MOUNT_MASK);
    CHECK_INT(kind_at(plan, npmrc), -1);
    CHECK_INT(kind_at(plan, mail), HEEL_MOUNT_BIND);
    CHECK_INT(kind_at(plan, sockets), HEEL_MOUNT_MASK);
}

static void a_path_beats_its_group(void)
{
    heel_autoplan struct heel_plan *shown = PLAN(HEEL_LEVEL_DEFAULT, {.path = ssh}, {.path = mail});
    heel_autoplan struct heel_plan *part = PLAN(HEEL_LEVEL_DEFAULT, {.path = key});
    heel_autoplan struct heel_plan *kept =
        PLAN(HEEL_LEVEL_DEFAULT, {.group = HEEL_PROTECTED_USER_HOME},
             {.group = HEEL_PROTECTED_CREDENTIALS}, {.path = ssh, .on = true});

    CHECK_INT(kind_at(shown, ssh), HEEL_MOUNT_BIND);
    CHECK_INT(last_at(shown, ssh)->flags & HEEL_MOUNT_WRITABLE, 0);
    CHECK_INT(kind_at(shown, mail), HEEL_MOUNT_BIND);
    CHECK_INT(kind_at(shown, npmrc), -1);
    check_shown(shown, ssh);
    check_shown(shown, mail);
    CHECK_INT(kind_at(part, key), HEEL_MOUNT_BIND);
    CHECK_INT(kind_at(part, ssh), -1);
    CHECK_INT(kind_at(kept, home), HEEL_MOUNT_BIND);
    CHECK_INT(kind_at(kept, ssh), HEEL_MOUNT_MASK);
}

/* PERMISSIVE shows all of this test's folder. */
static void permissive_hides_what_is_on(void)
{
    heel_autofree char *outside = heel_format("%s/homes", base);
    heel_autoplan struct heel_plan *plan = NULL, *homes = NULL, *but_one = NULL;

    heel_host_facts_add_entry(&facts.top, &facts.top_count, outside, NULL, true);
    plan = PLAN(HEEL_LEVEL_PERMISSIVE, {.group = HEEL_PROTECTED_CREDENTIALS, .on = true},
                {.path = npmrc, .on = true});
    CHECK_INT(kind_at(plan, ssh), HEEL_MOUNT_MASK);
    CHECK_INT(kind_at(plan, npmrc), HEEL_MOUNT_MASK);
    CHECK_INT(kind_at(plan, home), -1);
    CHECK_INT(kind_at(plan, mail), HEEL_MOUNT_BIND);
    CHECK_INT(kind_at(plan, sockets), HEEL_MOUNT_MASK);
    homes = PLAN(HEEL_LEVEL_PERMISSIVE, {.group = HEEL_PROTECTED_USER_HOME, .on = true});
    CHECK_INT(kind_at(homes, home), HEEL_MOUNT_MASK);
    CHECK_INT(kind_at(homes, other_home), -1);
    but_one = PLAN(HEEL_LEVEL_PERMISSIVE, {.group = HEEL_PROTECTED_CREDENTIALS, .on = true},
                   {.path = ssh});
    CHECK_INT(kind_at(but_one, ssh), -1);
    facts.top_count--;
    free(facts.top[facts.top_count].path);
}

static void check_refused(const char *path, bool on, const char *reason)
{
    const struct heel_protection_switch given[] = {{.path = path, .on = on, .place = 3}};
    heel_autoerror struct heel_error *error = NULL;
    heel_autoplan struct heel_plan *plan = NULL;

    CHECK_INT(make(HEEL_LEVEL_DEFAULT, given, 1, &plan, &error), -1);
    REQUIRE(error != NULL);
    CHECK_INT(error->code, HEEL_INVALID_ARGUMENT);
    CHECK_STR(error->reason, reason);
    CHECK_STR(error->field, "spec.filesystem.protections[3].path");
}

static void what_is_not_protected_has_no_switch(void)
{
    heel_autofree char *missing = heel_format("%s/missing", home), *plain = make_dir("plain");

    check_refused(missing, false, "PATH_NOT_FOUND");
    check_refused(plain, false, "INVALID_FIELD");
    check_refused(plain, true, "INVALID_FIELD");
    check_refused(sockets, false, "INVALID_FIELD");
    check_refused(sockets, true, "INVALID_FIELD");
    check_refused("/usr", false, "INVALID_FIELD");
    check_refused("/run", false, "INVALID_FIELD");
}

static void acting_files_are_a_switch(void)
{
    heel_autoplan struct heel_plan *off =
        PLAN(HEEL_LEVEL_DEFAULT, {.group = HEEL_PROTECTED_ACTING_FILES});
    heel_autoplan struct heel_plan *on =
        PLAN(HEEL_LEVEL_PERMISSIVE, {.group = HEEL_PROTECTED_ACTING_FILES, .on = true});

    CHECK_INT(off->acting->state, HEEL_ENFORCEMENT_DISABLED);
    CHECK_INT(on->acting->state, HEEL_ENFORCEMENT_DEGRADED);
}

int main(void)
{
    char template[] = "/tmp/plan_switches_test.XXXXXX";

    REQUIRE(mkdtemp(template));
    REQUIRE(chmod(template, 0755) == 0);
    base = realpath(template, NULL);
    make_up_host();
    default_shows_a_home_that_is_off();
    other_homes_are_a_group_of_their_own();
    groups_hide_on_their_own();
    a_path_beats_its_group();
    permissive_hides_what_is_on();
    what_is_not_protected_has_no_switch();
    acting_files_are_a_switch();
    {
        heel_autofree char *command = heel_format("rm -rf '%s'", base);

        REQUIRE(system(command) == 0);
    }
    return heel_test_end();
}
