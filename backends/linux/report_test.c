/* What is said of protections, from made-up facts: nothing is ACTIVE that isn't held. */
#include "backends/linux/report.h"

#include "backends/linux/plan/plan_acting.h"
#include "base/test.h"

static struct heel_sandbox_spec spec;
static struct heel_report report;

static struct heel_report_facts everything(void)
{
    spec = (struct heel_sandbox_spec){.level = HEEL_LEVEL_DEFAULT};
    return (struct heel_report_facts){
        .supported = true,
        .landlock_abi = 9,
        .namespaces = true,
        .own_uid = true,
        .own_quotas = true,
        .supervises_connects = true,
        .spec = &spec,
    };
}

static void make(const struct heel_report_facts *facts)
{
    heel_report_clear(&report);
    heel_report_make(facts, &report);
}

static void check_row(enum heel_protection protection, enum heel_enforcement_state state,
                      const char *mechanism, const char *detail)
{
    const struct heel_enforcement *row = &report.rows[protection];

    if (row->state != state)
        HEEL_TEST_FAIL("%s is %d, expected %d", heel_report_protection_name(protection), row->state,
                       state);
    if (mechanism)
        CHECK_STR(row->mechanism, mechanism);
    if (detail && !strstr(row->detail, detail))
        HEEL_TEST_FAIL("%s: \"%s\" is not in \"%s\"", heel_report_protection_name(protection),
                       detail, row->detail);
}

/* Whatever the facts: every row is there, names itself, and explains what is not ACTIVE. */
static void check_form(void)
{
    for (size_t i = 0; i < HEEL_PROTECTION_COUNT; i++) {
        const struct heel_enforcement *row = &report.rows[i];

        CHECK_INT(row->protection, i);
        CHECK(heel_report_protection_name(row->protection) != NULL);
        CHECK((row->detail[0] == '\0') == (row->state == HEEL_ENFORCEMENT_ACTIVE));
        CHECK(row->state != HEEL_ENFORCEMENT_ACTIVE || row->mechanism[0]);
        CHECK(row->state != HEEL_ENFORCEMENT_DISABLED || !row->mechanism[0]);
    }
}

static void everything_is_held(void)
{
    const struct heel_report_facts facts = everything();

    make(&facts);
    check_form();
    for (size_t i = 0; i <= HEEL_PROTECTION_ACTING_FILES; i++)
        check_row((enum heel_protection)i, HEEL_ENFORCEMENT_ACTIVE, NULL, "");
    check_row(HEEL_PROTECTION_FILESYSTEM, HEEL_ENFORCEMENT_ACTIVE,
              "mount namespace, Landlock ABI 9", "");
    check_row(HEEL_PROTECTION_HOST_SOCKETS, HEEL_ENFORCEMENT_ACTIVE, "own /run, Landlock", "");
    check_row(HEEL_PROTECTION_METADATA, HEEL_ENFORCEMENT_DEGRADED, NULL, "flock");
    check_row(HEEL_PROTECTION_KERNEL_QUOTAS, HEEL_ENFORCEMENT_ACTIVE,
              "a uid of its own, rlimits, seccomp, user namespace", "");
    check_row(HEEL_PROTECTION_LIMITS, HEEL_ENFORCEMENT_DISABLED, "", "spec.limits");
    check_row(HEEL_PROTECTION_WRITE_XOR_EXECUTE, HEEL_ENFORCEMENT_DISABLED, "",
              "spec.filesystem.write_xor_execute");
}

static void levels_leave_things_open(void)
{
    static const enum heel_protection open[] = {
        HEEL_PROTECTION_FILESYSTEM, HEEL_PROTECTION_HIDDEN_PATHS, HEEL_PROTECTION_ACTING_FILES,
        HEEL_PROTECTION_METADATA};
    const struct heel_report_facts facts = everything();

    spec.level = HEEL_LEVEL_PERMISSIVE;
    make(&facts);
    check_form();
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(open); i++)
        check_row(open[i], HEEL_ENFORCEMENT_DISABLED, "", "spec.level is PERMISSIVE");
    check_row(HEEL_PROTECTION_PROCESSES, HEEL_ENFORCEMENT_ACTIVE, NULL, "");
}

static void lent_hardware_shows(void)
{
    const struct heel_report_facts facts = everything();
    const enum heel_protection row = HEEL_PROTECTION_DEVICES;

    spec.hardware = HEEL_HARDWARE_GPU | HEEL_HARDWARE_NPU;
    make(&facts);
    check_form();
    check_row(row, HEEL_ENFORCEMENT_DEGRADED, NULL, "spec.hardware.npu");
    spec.hardware = HEEL_HARDWARE_ALL;
    make(&facts);
    check_row(row, HEEL_ENFORCEMENT_DISABLED, "", "spec.hardware.all_devices");
    spec.hardware = 0;
}

static void writing_and_executing_are_apart_where_asked_for(void)
{
    struct heel_report_facts facts = everything();
    static const struct heel_path_rule grant = {"/data", HEEL_ACCESS_WRITE};
    const enum heel_protection row = HEEL_PROTECTION_WRITE_XOR_EXECUTE;

    make(&facts);
    check_row(row, HEEL_ENFORCEMENT_DISABLED, "", "spec.filesystem.write_xor_execute is off");
    spec = (struct heel_sandbox_spec){.level = HEEL_LEVEL_DEFAULT, .write_xor_execute = true};
    make(&facts);
    check_row(row, HEEL_ENFORCEMENT_ACTIVE, NULL, "");
    spec.paths = &grant;
    spec.path_count = 1;
    make(&facts);
    check_row(row, HEEL_ENFORCEMENT_DEGRADED, NULL, "second name");
    spec.level = HEEL_LEVEL_STRICT;
    make(&facts);
    check_row(row, HEEL_ENFORCEMENT_ACTIVE, NULL, "");
    facts.namespaces = false;
    make(&facts);
    check_row(row, HEEL_ENFORCEMENT_DEGRADED, NULL, "without a mount namespace");
    spec = (struct heel_sandbox_spec){0};
}

static void root_shows(void)
{
    const struct heel_report_facts facts = everything();

    spec.run_as = (struct heel_run_as){.given = true, .uid = 1000, .gid = 1000};
    make(&facts);
    check_row(HEEL_PROTECTION_PRIVILEGES, HEEL_ENFORCEMENT_ACTIVE, NULL, "");
    spec.run_as = (struct heel_run_as){.given = true};
    make(&facts);
    check_form();
    check_row(HEEL_PROTECTION_PRIVILEGES, HEEL_ENFORCEMENT_DEGRADED, NULL, "spec.run_as");
}

/* Each mechanism taken away changes the rows that rest on it. */
static void missing_mechanisms_show(void)
{
    struct heel_report_facts facts = everything();

    facts.landlock_abi = 5;
    facts.supervises_connects = false;
    make(&facts);
    check_form();
    check_row(HEEL_PROTECTION_HOST_SOCKETS, HEEL_ENFORCEMENT_DEGRADED, NULL, "ABI 9");
    check_row(HEEL_PROTECTION_PROCESSES, HEEL_ENFORCEMENT_ACTIVE,
              "pid namespace, Landlock domain, seccomp", "");
    facts.supervises_connects = true;
    make(&facts);
    check_row(HEEL_PROTECTION_HOST_SOCKETS, HEEL_ENFORCEMENT_ACTIVE, "own /run, supervised connect",
              "");
    facts.own_uid = false;
    facts.own_quotas = false;
    make(&facts);
    check_row(HEEL_PROTECTION_KERNEL_QUOTAS, HEEL_ENFORCEMENT_DEGRADED, NULL, "inotify");
    check_row(HEEL_PROTECTION_KERNEL_QUOTAS, HEEL_ENFORCEMENT_DEGRADED, NULL, "pipes");
    facts.namespaces = false;
    make(&facts);
    check_form();
    check_row(HEEL_PROTECTION_HIDDEN_PATHS, HEEL_ENFORCEMENT_DEGRADED, NULL, "mount namespace");
    check_row(HEEL_PROTECTION_PROCESSES, HEEL_ENFORCEMENT_DEGRADED, NULL, "ABI 6");
    check_row(HEEL_PROTECTION_NETWORK, HEEL_ENFORCEMENT_ACTIVE,
              "sockets other than pairs refused by seccomp, Landlock ABI 5", "");
    check_row(HEEL_PROTECTION_HOST_SOCKETS, HEEL_ENFORCEMENT_ACTIVE,
              "sockets other than pairs refused by seccomp", "");
    check_row(HEEL_PROTECTION_IPC, HEEL_ENFORCEMENT_ACTIVE,
              "System V IPC and message queues refused by seccomp", "");
    check_row(HEEL_PROTECTION_PROCESSES, HEEL_ENFORCEMENT_DEGRADED, NULL, "command lines");
    check_row(HEEL_PROTECTION_METADATA, HEEL_ENFORCEMENT_DEGRADED, NULL, "mode and times");
    check_row(HEEL_PROTECTION_KERNEL_QUOTAS, HEEL_ENFORCEMENT_DEGRADED, NULL, "processes");
    check_row(HEEL_PROTECTION_ACTING_FILES, HEEL_ENFORCEMENT_DEGRADED, NULL, "mount namespace");
    facts.mounts_unknown = true;
    make(&facts);
    check_row(HEEL_PROTECTION_HIDDEN_PATHS, HEEL_ENFORCEMENT_DEGRADED, NULL, "mountinfo");
    facts.supported = false;
    make(&facts);
    check_form();
    for (size_t i = 0; i < HEEL_PROTECTION_COUNT; i++)
        check_row((enum heel_protection)i, HEEL_ENFORCEMENT_DISABLED, "", "can't run sandboxes");
}

static void acting_files_of_the_plan_show(void)
{
    struct heel_report_facts facts = everything();
    struct heel_plan_acting acting = {.state = HEEL_ENFORCEMENT_DEGRADED};
    struct heel_plan plan = {.acting = &acting};

    heel_buffer_append_text(&acting.detail, "paths[0] lets \"/a/.git\" be written");
    facts.plan = &plan;
    make(&facts);
    check_form();
    check_row(HEEL_PROTECTION_ACTING_FILES, HEEL_ENFORCEMENT_DEGRADED,
              "read-only mounts, search at the end", "\"/a/.git\"");
    heel_buffer_free(&acting.detail);
}

static void switches_show(void)
{
    struct heel_report_facts facts = everything();
    const struct heel_protection_switch two[] = {{.group = HEEL_PROTECTED_CLOUD},
                                                 {.group = HEEL_PROTECTED_ACTING_FILES}};
    const struct heel_protection_switch one[] = {{.group = HEEL_PROTECTED_CLOUD, .on = true}};
    struct heel_plan_acting acting = {0};
    struct heel_plan plan = {.acting = &acting};

    spec.switches = two;
    spec.switch_count = 2;
    make(&facts);
    check_form();
    check_row(HEEL_PROTECTION_HIDDEN_PATHS, HEEL_ENFORCEMENT_DEGRADED, NULL,
              "spec.filesystem.protections: off are CLOUD");
    check_row(HEEL_PROTECTION_ACTING_FILES, HEEL_ENFORCEMENT_DISABLED, "",
              "spec.filesystem.protections");
    spec.level = HEEL_LEVEL_PERMISSIVE;
    spec.switches = one;
    spec.switch_count = 1;
    make(&facts);
    check_form();
    check_row(HEEL_PROTECTION_HIDDEN_PATHS, HEEL_ENFORCEMENT_DEGRADED, NULL,
              "spec.level is PERMISSIVE: off are USER_HOME, OTHER_HOMES, CREDENTIALS, BROWSER");
    spec = (struct heel_sandbox_spec){.level = HEEL_LEVEL_DEFAULT};
    heel_buffer_append_text(&plan.shown, "\"/home/a/.ssh\"");
    facts.plan = &plan;
    make(&facts);
    check_row(HEEL_PROTECTION_HIDDEN_PATHS, HEEL_ENFORCEMENT_DEGRADED, NULL, "\"/home/a/.ssh\"");
    heel_buffer_free(&plan.shown);
}

static void check_unavailable(unsigned required, const char *protection, const char *state)
{
    heel_autoerror struct heel_error *error = NULL;

    CHECK_INT(heel_report_check(&report, required, &error), -1);
    REQUIRE(error && error->metadata_count == 3);
    CHECK_INT(error->code, HEEL_FAILED_PRECONDITION);
    CHECK_STR(error->reason, "PROTECTION_UNAVAILABLE");
    CHECK_STR(error->metadata[0].value, protection);
    CHECK_STR(error->metadata[1].value, state);
    CHECK(error->metadata[2].value[0]);
}

static void what_is_required_is_active(void)
{
    const struct heel_report_facts facts = everything();
    const unsigned held = 1U << HEEL_PROTECTION_FILESYSTEM | 1U << HEEL_PROTECTION_HOST_SOCKETS;

    make(&facts);
    CHECK_INT(heel_report_check(&report, 0, NULL), 0);
    CHECK_INT(heel_report_check(&report, held, NULL), 0);
    check_unavailable(held | 1U << HEEL_PROTECTION_METADATA, "METADATA", "DEGRADED");
    check_unavailable(1U << HEEL_PROTECTION_LIMITS, "LIMITS", "DISABLED");
}

int main(void)
{
    everything_is_held();
    levels_leave_things_open();
    lent_hardware_shows();
    writing_and_executing_are_apart_where_asked_for();
    root_shows();
    missing_mechanisms_show();
    acting_files_of_the_plan_show();
    switches_show();
    what_is_required_is_active();
    heel_report_clear(&report);
    return heel_test_end();
}
