#include "backends/linux/audit/landlock_refusal.h"

#include "base/test.h"
#include "base/text.h"

static const struct heel_path_rule rules[] = {
    {"/home/me/project", HEEL_ACCESS_WRITE},
    {"/home/me/project/secret/", HEEL_ACCESS_DENY},
};
static const char *const own[] = {"/var/lib/heel", NULL};

static void check(enum heel_level level, const char *right, const char *target, const char *rule,
                  const char *remedy)
{
    const struct heel_sandbox_spec spec = {.level = level, .paths = rules, .path_count = 2};
    struct heel_landlock_refusal refusal = {0};

    heel_landlock_refusal_explain(right, target, &spec, own, &refusal);
    CHECK_STR(refusal.rule, rule);
    if (!heel_starts_with(refusal.remedy, remedy) || (*refusal.remedy && !*remedy))
        HEEL_TEST_FAIL("%s of %s: %s", right, target, refusal.remedy);
    heel_landlock_refusal_clear(&refusal);
}

int main(void)
{
    static const char not_allowed[] = "no Landlock rule of the sandbox allows it";

    check(HEEL_LEVEL_STRICT, "read", "/etc/x", not_allowed,
          "grant it: a rule with READ for \"/etc/x\"");
    check(HEEL_LEVEL_STRICT, "write", "/etc", not_allowed,
          "grant it: a rule with WRITE for \"/etc\"");
    check(HEEL_LEVEL_STRICT, "execute", "/opt/x", not_allowed,
          "grant it: a rule with EXECUTE for \"/opt/x\"");
    check(HEEL_LEVEL_STRICT, "read", "/var/lib/heel/x", not_allowed, "");
    check(HEEL_LEVEL_STRICT, "read", "/var/lib/heel-not", not_allowed, "grant it: ");
    check(HEEL_LEVEL_STRICT, "read", "/proc/1/maps", not_allowed, "none: it can't be granted, as ");
    check(HEEL_LEVEL_PERMISSIVE, "read", "/x", not_allowed, "");
    check(HEEL_LEVEL_STRICT, "read", "/home/me/project/secret/x",
          "a rule of the spec denies \"/home/me/project/secret/\"", "leave out the rule");
    check(HEEL_LEVEL_STRICT, "read", "/home/me/project/secrets", not_allowed, "grant it: ");
    check(HEEL_LEVEL_STRICT, "signal", "process 1",
          "only processes of the same sandbox can be signalled", "");
    check(HEEL_LEVEL_STRICT, "connect", "\\x00abs",
          "nothing outside the sandbox can be connected to", "run what needs it outside");
    return heel_test_end();
}
