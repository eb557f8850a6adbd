#include "backends/linux/audit/landlock_refusal.h"

#include <stdlib.h>
#include <string.h>

#include "backends/linux/plan/plan.h"
#include "base/text.h"

/* What is no matter of paths, and what no rule can grant. */
static const struct {
    const char *right;
    const char *rule;
    const char *remedy;
} elsewhere[] = {
    {"signal", "only processes of the same sandbox can be signalled", ""},
    {"ptrace", "only processes of the same sandbox can be debugged", ""},
    {"connect", "nothing outside the sandbox can be connected to",
     "run what needs it outside, and hand its results in"},
    {"bind", "the sandbox has no network", "run what needs the network outside"},
    {"ioctl", "this device is not granted to the sandbox", "grant the hardware in spec.hardware"},
    {"mount", "nothing can be mounted in a sandbox", ""},
};

static bool is_at_or_below(const char *path, const char *above)
{
    size_t length = strlen(above);

    while (length > 0 && above[length - 1] == '/')
        length--;
    return strncmp(path, above, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* The rule that denies it, or NULL: a denial beats every grant. */
static const char *denying(const struct heel_sandbox_spec *spec, const char *path)
{
    for (size_t i = 0; i < spec->path_count; i++)
        if (spec->paths[i].access == HEEL_ACCESS_DENY && is_at_or_below(path, spec->paths[i].path))
            return spec->paths[i].path;
    return NULL;
}

static bool is_own(const char *const *own, const char *path)
{
    while (*own && !is_at_or_below(path, *own))
        own++;
    return *own != NULL;
}

static const char *access_name(const char *right)
{
    return strcmp(right, "write") == 0     ? "WRITE"
           : strcmp(right, "execute") == 0 ? "EXECUTE"
                                           : "READ";
}

static char *remedy_of_path(const char *right, const char *path,
                            const struct heel_sandbox_spec *spec, const char *const *own)
{
    const char *why = heel_plan_why_not_grantable(path);

    if (is_own(own, path) || spec->level == HEEL_LEVEL_PERMISSIVE || path[0] != '/')
        return heel_xstrdup("");
    if (why)
        return heel_format("none: it can't be granted, as %s", why);
    return heel_format("grant it: a rule with %s for \"%s\" or a directory above it in "
                       "spec.filesystem.paths",
                       access_name(right), path);
}

void heel_landlock_refusal_explain(const char *right, const char *target,
                                   const struct heel_sandbox_spec *spec, const char *const *own,
                                   struct heel_landlock_refusal *refusal)
{
    const char *denied = denying(spec, target);

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(elsewhere); i++)
        if (strcmp(elsewhere[i].right, right) == 0) {
            refusal->rule = heel_xstrdup(elsewhere[i].rule);
            refusal->remedy = heel_xstrdup(elsewhere[i].remedy);
            return;
        }
    if (denied) {
        refusal->rule = heel_format("a rule of the spec denies \"%s\"", denied);
        refusal->remedy = heel_xstrdup("leave out the rule that denies it");
        return;
    }
    refusal->rule = heel_xstrdup("no Landlock rule of the sandbox allows it");
    refusal->remedy = remedy_of_path(right, target, spec, own);
}

void heel_landlock_refusal_clear(struct heel_landlock_refusal *refusal)
{
    free(refusal->rule);
    free(refusal->remedy);
    *refusal = (struct heel_landlock_refusal){0};
}
