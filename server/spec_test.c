#include "server/spec.h"

#include <string.h>

#include "base/test.h"
#include "server/spec_check.h"
#include "server/spec_limits.h"

static struct heel_error *check_failure(const Heel__V1__SandboxSpec *spec)
{
    struct heel_error *error = NULL;

    CHECK_INT(spec_check(spec, "spec", &error), -1);
    REQUIRE(error);
    CHECK_INT(error->code, HEEL_INVALID_ARGUMENT);
    return error;
}

static void test_default_spec_is_spelled_out(void)
{
    Heel__V1__SandboxSpec *effective =
        spec_new_effective(NULL, HEEL__V1__ISOLATION_LEVEL__ISOLATION_LEVEL_STRICT);

    CHECK_INT(spec_check(NULL, "spec", NULL), 0);
    CHECK_INT(effective->level, HEEL__V1__ISOLATION_LEVEL__ISOLATION_LEVEL_STRICT);
    CHECK_INT(effective->network->policy_case, HEEL__V1__NETWORK_POLICY__POLICY_DENY_ALL);
    CHECK_INT(effective->limits->max_output_bytes, SPEC_DEFAULT_OUTPUT_BYTES);
    CHECK(effective->lifetime->ttl == NULL);
    heel__v1__sandbox_spec__free_unpacked(effective, NULL);
}

static void test_rule_is_named(void)
{
    Heel__V1__SandboxSpec spec = HEEL__V1__SANDBOX_SPEC__INIT;
    Heel__V1__Filesystem filesystem = HEEL__V1__FILESYSTEM__INIT;
    Heel__V1__PathRule good = HEEL__V1__PATH_RULE__INIT, bad = HEEL__V1__PATH_RULE__INIT;
    Heel__V1__PathRule *rules[] = {&good, &bad};

    good.path = (char *)"/a";
    bad.path = (char *)"b";
    good.access = bad.access = HEEL__V1__PATH_ACCESS__PATH_ACCESS_READ;
    filesystem.n_paths = 2;
    filesystem.paths = rules;
    spec.filesystem = &filesystem;
    heel_autoerror struct heel_error *relative = check_failure(&spec);
    CHECK_STR(relative->field, "spec.filesystem.paths[1].path");

    bad.path = (char *)"/b";
    CHECK_INT(spec_check(&spec, "spec", NULL), 0);
    spec.level = HEEL__V1__ISOLATION_LEVEL__ISOLATION_LEVEL_PERMISSIVE;
    heel_autoerror struct heel_error *pointless = check_failure(&spec);
    CHECK_STR(pointless->field, "spec.filesystem.paths[0].access");
}

static void set_group(Heel__V1__ProtectionSwitch *to, Heel__V1__ProtectedGroup group, bool on)
{
    heel__v1__protection_switch__init(to);
    to->target_case = HEEL__V1__PROTECTION_SWITCH__TARGET_GROUP;
    to->group = group;
    to->on = on;
}

/* What was given keeps its place, and the groups that it leaves out are as the level has them. */
static void test_switches_are_spelled_out(void)
{
    Heel__V1__SandboxSpec spec = HEEL__V1__SANDBOX_SPEC__INIT, *effective;
    Heel__V1__Filesystem filesystem = HEEL__V1__FILESYSTEM__INIT;
    Heel__V1__ProtectionSwitch cloud, home, path = HEEL__V1__PROTECTION_SWITCH__INIT;
    Heel__V1__ProtectionSwitch *switches[] = {&path, &cloud, &home};
    auto_spec_lists lists = {0};
    struct heel_sandbox_spec plain;

    path.target_case = HEEL__V1__PROTECTION_SWITCH__TARGET_PATH;
    path.path = (char *)"/home/me/.ssh";
    set_group(&cloud, HEEL__V1__PROTECTED_GROUP__PROTECTED_GROUP_CLOUD, false);
    set_group(&home, HEEL__V1__PROTECTED_GROUP__PROTECTED_GROUP_USER_HOME, true);
    filesystem.n_protections = 3;
    filesystem.protections = switches;
    spec.filesystem = &filesystem;
    CHECK_INT(spec_check(&spec, "spec", NULL), 0);
    effective = spec_new_effective(&spec, HEEL__V1__ISOLATION_LEVEL__ISOLATION_LEVEL_DEFAULT);
    CHECK_INT(effective->filesystem->n_protections, HEEL_PROTECTED_GROUP_COUNT + 1);
    CHECK_STR(effective->filesystem->protections[0]->path, "/home/me/.ssh");
    for (size_t i = 1; i < effective->filesystem->n_protections; i++)
        CHECK_INT(effective->filesystem->protections[i]->on, i != 1);
    plain = spec_for_backend(effective, &lists);
    /* Only what differs from the level's own. */
    CHECK_INT(plain.switch_count, 2);
    CHECK_STR(plain.switches[0].path, "/home/me/.ssh");
    CHECK_INT(plain.switches[1].group, HEEL_PROTECTED_CLOUD);
    CHECK_INT(plain.switches[1].place, 1);
    heel__v1__sandbox_spec__free_unpacked(effective, NULL);
}

static void test_switches_are_checked(void)
{
    Heel__V1__SandboxSpec spec = HEEL__V1__SANDBOX_SPEC__INIT;
    Heel__V1__Filesystem filesystem = HEEL__V1__FILESYSTEM__INIT;
    Heel__V1__ProtectionSwitch first, second;
    Heel__V1__ProtectionSwitch *switches[] = {&first, &second};

    set_group(&first, HEEL__V1__PROTECTED_GROUP__PROTECTED_GROUP_CLOUD, false);
    set_group(&second, HEEL__V1__PROTECTED_GROUP__PROTECTED_GROUP_CLOUD, true);
    filesystem.n_protections = 2;
    filesystem.protections = switches;
    spec.filesystem = &filesystem;
    heel_autoerror struct heel_error *twice = check_failure(&spec);
    CHECK_STR(twice->field, "spec.filesystem.protections[1]");
    heel__v1__protection_switch__init(&second);
    heel_autoerror struct heel_error *none = check_failure(&spec);
    CHECK_STR(none->field, "spec.filesystem.protections[1]");
    second.target_case = HEEL__V1__PROTECTION_SWITCH__TARGET_PATH;
    second.path = (char *)".ssh";
    heel_autoerror struct heel_error *relative = check_failure(&spec);
    CHECK_STR(relative->field, "spec.filesystem.protections[1].path");
}

static void test_unknown_is_refused(void)
{
    /* Limits (5) with an unknown field 99, varint 1. */
    const uint8_t unknown_field[] = {0x2a, 0x03, 0x98, 0x06, 0x01};
    const uint8_t unknown_level[] = {0x08, 0x63};
    Heel__V1__SandboxSpec *spec =
        heel__v1__sandbox_spec__unpack(NULL, sizeof unknown_field, unknown_field);
    heel_autoerror struct heel_error *field = check_failure(spec);

    CHECK_STR(field->reason, "UNKNOWN_FIELD");
    CHECK_STR(field->field, "spec.limits.99");
    heel__v1__sandbox_spec__free_unpacked(spec, NULL);
    spec = heel__v1__sandbox_spec__unpack(NULL, sizeof unknown_level, unknown_level);
    heel_autoerror struct heel_error *level = check_failure(spec);
    CHECK_STR(level->field, "spec.level");
    heel__v1__sandbox_spec__free_unpacked(spec, NULL);
}

static void set_label(Heel__V1__SandboxSpec__LabelsEntry *entry, const char *key, const char *value)
{
    heel__v1__sandbox_spec__labels_entry__init(entry);
    entry->key = (char *)(uintptr_t)key;
    entry->value = (char *)(uintptr_t)value;
}

static void test_order_of_maps_does_not_matter(void)
{
    Heel__V1__SandboxSpec spec = HEEL__V1__SANDBOX_SPEC__INIT;
    Heel__V1__SandboxSpec__LabelsEntry first, second;
    Heel__V1__SandboxSpec__LabelsEntry *labels[] = {&first, &second};
    heel_autobuffer struct heel_buffer one = {0}, other = {0}, third = {0};

    set_label(&first, "a", "1");
    set_label(&second, "b", "2");
    spec.n_labels = 2;
    spec.labels = labels;
    spec_append_canonical(&spec, &one);
    labels[0] = &second;
    labels[1] = &first;
    spec_append_canonical(&spec, &other);
    CHECK(heel_buffer_equal(&one, &other));
    first.value = (char *)"3";
    spec_append_canonical(&spec, &third);
    CHECK(!heel_buffer_equal(&one, &third));
    second.key = (char *)"a";
    heel_autoerror struct heel_error *twice = check_failure(&spec);
    CHECK_STR(twice->field, "spec.labels");
}

static void check_id(const char *id, bool good)
{
    if ((spec_check_id(id, "sandbox_id", NULL) == 0) != good)
        HEEL_TEST_FAIL("id \"%s\" is %s", id, good ? "refused" : "taken");
}

static void test_ids(void)
{
    char longest[130] = {0};

    memset(longest, 'a', 128);
    check_id("a", true);
    check_id("A.b_c-9", true);
    check_id(longest, true);
    longest[128] = 'a';
    check_id(longest, false);
    check_id("", false);
    check_id("-a", false);
    check_id("..", false);
    check_id("a/b", false);
    check_id("a b", false);
}

int main(void)
{
    test_default_spec_is_spelled_out();
    test_rule_is_named();
    test_switches_are_spelled_out();
    test_switches_are_checked();
    test_unknown_is_refused();
    test_order_of_maps_does_not_matter();
    test_ids();
    return heel_test_end();
}
