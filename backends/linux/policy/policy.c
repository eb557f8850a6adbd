/* What Landlock, the mounts and the file's own permissions say of an access to what a path leads
 * to. */
#include "backends/linux/policy/policy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backends/linux/kernel/landlock_rights.h"
#include "backends/linux/plan/plan_build.h"
#include "backends/linux/policy/policy_walk.h"

#define EFFORT_BASE ((uint64_t)1 << 20)
#define EFFORT_PER_TEST ((uint64_t)16 << 10)

/* ---- what may be done there ---- */

/* What Landlock must allow for an access: to what is there, or to make it. */
static uint64_t rights_needed(const struct heel_policy_place *place, unsigned access)
{
    bool directory = S_ISDIR(place->node.mode);

    if (access & HEEL_ACCESS_WRITE)
        return (directory || (!place->node.mode && !place->own) ? HEEL_LANDLOCK_MAKE_REG : 0) |
               HEEL_LANDLOCK_WRITE_FILE;
    if (access & HEEL_ACCESS_EXECUTE)
        return HEEL_LANDLOCK_EXECUTE | HEEL_LANDLOCK_READ_FILE;
    return directory ? HEEL_LANDLOCK_READ_DIR : HEEL_LANDLOCK_READ_FILE;
}

/* Rules on the way to a path add up. */
static bool is_allowed_by_rules(const struct heel_policy_walk *walk, uint64_t needed,
                                const struct heel_rule **nearest)
{
    const char *path = walk->path[0] ? walk->path : "/";
    uint64_t rights = 0;

    *nearest = NULL;
    for (size_t i = 0; i < walk->plan->rule_count; i++) {
        const struct heel_rule *rule = &walk->plan->rules[i];

        if (!heel_path_is_at_or_below(path, rule->path))
            continue;
        rights |= rule->rights;
        if (!*nearest || strlen(rule->path) >= strlen((*nearest)->path))
            *nearest = rule;
    }
    return (rights & needed) == needed;
}

/* The nearest rule that gives any of `needed`: it is named as the reason of an access that is
 * allowed. */
static const struct heel_rule *find_giver(const struct heel_policy_walk *walk, uint64_t needed)
{
    const char *path = walk->path[0] ? walk->path : "/";
    const struct heel_rule *giver = NULL;

    for (size_t i = 0; i < walk->plan->rule_count; i++) {
        const struct heel_rule *rule = &walk->plan->rules[i];

        if ((rule->rights & needed) && heel_path_is_at_or_below(path, rule->path) &&
            (!giver || strlen(rule->path) > strlen(giver->path)))
            giver = rule;
    }
    return giver;
}

/* The place whose mount must be writable: of what isn't there yet that is its directory. */
static const struct heel_policy_place *place_written(const struct heel_policy_walk *walk)
{
    return walk->place.node.mode || walk->place.own ? &walk->place : &walk->parent;
}

static bool is_writable(const struct heel_policy_walk *walk)
{
    const struct heel_policy_place *place = &walk->place;

    if (place->narrow || place_written(walk)->node.read_only)
        return false;
    return !place->shown || place->shown->kind == HEEL_MOUNT_PROC ||
           (place->shown->flags & HEEL_MOUNT_WRITABLE);
}

static bool is_executable(const struct heel_policy_place *place)
{
    if (place->node.no_execute ||
        (place->narrow && !(place->narrow->flags & HEEL_MOUNT_EXECUTABLE)))
        return false;
    return !place->shown || place->shown->kind == HEEL_MOUNT_TMPFS ||
           (place->shown->flags & HEEL_MOUNT_EXECUTABLE);
}

static enum heel_policy_refusal check_kind(const struct heel_policy_place *place)
{
    mode_t mode = place->node.mode;

    if (S_ISSOCK(mode))
        return HEEL_POLICY_SOCKET;
    if ((S_ISCHR(mode) || S_ISBLK(mode)) && place->shown &&
        !(place->shown->flags & HEEL_MOUNT_DEVICES))
        return HEEL_POLICY_DEVICE;
    return HEEL_POLICY_ALLOWED;
}

static enum heel_policy_refusal check_permissions(const struct heel_policy_walk *walk,
                                                  unsigned access)
{
    const struct heel_policy_place *place = &walk->place;
    bool making = !place->node.mode && !place->own;
    unsigned wanted = access & HEEL_ACCESS_WRITE ? 2 : access & HEEL_ACCESS_EXECUTE ? 1 : 4;

    if (making || (S_ISDIR(place->node.mode) && wanted == 2))
        wanted = 3;
    if (S_ISDIR(place->node.mode) && access & HEEL_ACCESS_EXECUTE)
        wanted = 1;
    return (heel_policy_permitted(walk, place_written(walk)) & wanted) == wanted
               ? HEEL_POLICY_ALLOWED
               : HEEL_POLICY_PERMISSIONS;
}

static enum heel_policy_refusal check_access(const struct heel_policy_walk *walk, unsigned access,
                                             const struct heel_rule **rule)
{
    const struct heel_policy_place *place = &walk->place;
    uint64_t needed = rights_needed(place, access);
    enum heel_policy_refusal refusal = check_kind(place);

    if (heel_policy_is_masked(place))
        return HEEL_POLICY_MASKED;
    if (!place->node.mode && !place->own &&
        (!(access & HEEL_ACCESS_WRITE) || heel_policy_why_missing(place) == HEEL_POLICY_NOT_SHOWN))
        return heel_policy_why_missing(place);
    if (refusal)
        return refusal;
    if (!is_allowed_by_rules(walk, needed, rule))
        return HEEL_POLICY_RULE;
    *rule = find_giver(walk, needed);
    if ((access & HEEL_ACCESS_WRITE) && !S_ISCHR(place->node.mode) && !is_writable(walk))
        return HEEL_POLICY_READ_ONLY;
    if ((access & HEEL_ACCESS_EXECUTE) && !is_executable(place))
        return HEEL_POLICY_NO_EXECUTE;
    return check_permissions(walk, access);
}

/* ---- in words ---- */

static char *take(struct heel_buffer *text)
{
    return text->data ? heel_steal(text->data) : heel_xstrdup("");
}

static char *mount_text(const struct heel_mount *mount)
{
    struct heel_buffer text = {0};

    if (mount)
        heel_plan_print_mount(mount, &text);
    else
        heel_buffer_append_text(&text, "the host's own root");
    return take(&text);
}

static char *rule_text(const struct heel_rule *rule)
{
    struct heel_buffer text = {0};

    if (rule)
        heel_plan_print_rule(rule, &text);
    else
        heel_buffer_append_text(&text, "no rule");
    return take(&text);
}

static char *permissions_text(const struct heel_policy_walk *walk)
{
    const struct heel_policy_place *place = place_written(walk);

    return heel_format("the file's own permissions: mode %04o, uid %u, gid %u; the sandbox has uid "
                       "%u",
                       place->node.mode & 07777, (unsigned)place->node.uid,
                       (unsigned)place->node.gid, (unsigned)walk->plan->uid);
}

/* What decided, and where that came from. */
static void explain(const struct heel_policy_walk *walk, enum heel_policy_refusal refusal,
                    const struct heel_rule *rule, struct heel_policy_verdict *verdict)
{
    const struct heel_policy_place *place = &walk->place;
    const struct heel_mount *mount = place->narrow ? place->narrow : place->shown;

    verdict->origin = mount ? mount->origin : "host";
    switch (refusal) {
    case HEEL_POLICY_ALLOWED:
    case HEEL_POLICY_RULE:
        verdict->rule = rule_text(rule);
        verdict->origin = rule ? rule->origin : "";
        return;
    case HEEL_POLICY_NOT_SHOWN:
        verdict->rule = heel_xstrdup("nothing of the host is shown there");
        return;
    case HEEL_POLICY_NOT_THERE:
        verdict->absent = true;
        verdict->rule = heel_xstrdup("nothing is there on the host that the caller could see");
        return;
    case HEEL_POLICY_NOT_MADE:
        verdict->absent = true;
        verdict->rule = heel_xstrdup("nothing is there before the sandbox makes it");
        return;
    case HEEL_POLICY_NOT_A_DIRECTORY:
        verdict->rule = heel_xstrdup("something on the way is no directory");
        return;
    case HEEL_POLICY_LOOP:
        verdict->rule = heel_xstrdup("too many symbolic links");
        return;
    case HEEL_POLICY_TOO_FAR:
        verdict->undecided = true;
        verdict->origin = "";
        verdict->rule = heel_xstrdup("not known: the way there is longer than it is looked into");
        return;
    case HEEL_POLICY_SOCKET:
        verdict->rule = heel_xstrdup("it is a socket, which can't be opened");
        return;
    case HEEL_POLICY_PERMISSIONS:
        verdict->rule = permissions_text(walk);
        verdict->origin = "host";
        return;
    case HEEL_POLICY_DEVICE:
    case HEEL_POLICY_MASKED:
    case HEEL_POLICY_READ_ONLY:
    case HEEL_POLICY_NO_EXECUTE:
        break;
    }
    verdict->rule =
        place_written(walk)->node.read_only && refusal == HEEL_POLICY_READ_ONLY && !place->narrow
            ? heel_xstrdup("it is mounted read-only on the host")
            : mount_text(mount);
}

static const char *access_name(unsigned access)
{
    return access & HEEL_ACCESS_WRITE ? "WRITE" : access & HEEL_ACCESS_EXECUTE ? "EXECUTE" : "READ";
}

/* What a spec could say to allow it; "" where nothing would. */
static char *remedy_of(const struct heel_policy_walk *walk, enum heel_policy_refusal refusal,
                       const struct heel_policy_verdict *verdict)
{
    const char *path = walk->end, *why;
    bool by_spec =
        refusal == HEEL_POLICY_MASKED || refusal == HEEL_POLICY_NOT_SHOWN ||
        refusal == HEEL_POLICY_RULE || refusal == HEEL_POLICY_READ_ONLY ||
        refusal == HEEL_POLICY_NO_EXECUTE ||
        (refusal == HEEL_POLICY_NOT_MADE && walk->place.shown->kind == HEEL_MOUNT_SCRATCH);

    if (!by_spec || strcmp(verdict->origin, "heel's own") == 0 ||
        place_written(walk)->node.read_only)
        return heel_xstrdup("");
    if (refusal == HEEL_POLICY_MASKED && strcmp(verdict->origin, "path rule") == 0)
        return heel_xstrdup("leave out the rule that denies it");
    why = heel_plan_why_not_grantable(path);
    if (why)
        return heel_format("none: it can't be granted, as %s", why);
    return heel_format("grant it: a rule with %s for \"%s\" or a directory above it in "
                       "spec.filesystem.paths",
                       access_name(verdict->access), path);
}

uint64_t heel_policy_effort_for(size_t test_count)
{
    return EFFORT_BASE + EFFORT_PER_TEST * (uint64_t)test_count;
}

void heel_policy_judge(const struct heel_plan *plan, const struct heel_policy_host *host,
                       const struct heel_policy_test *test, struct heel_policy_verdict *verdict)
{
    struct heel_policy_walk walk;
    const struct heel_rule *rule = NULL;
    enum heel_policy_refusal refusal = heel_policy_walk(&walk, plan, host, test->path);

    if (!refusal)
        refusal = check_access(&walk, test->access, &rule);
    *verdict = (struct heel_policy_verdict){
        .path = heel_xstrdup(test->path),
        .access = test->access,
        .allowed = !refusal,
        .resolved_path = heel_xstrdup(walk.end),
    };
    explain(&walk, refusal, rule, verdict);
    verdict->remedy = remedy_of(&walk, refusal, verdict);
    heel_policy_walk_clear(&walk);
}

void heel_policy_verdict_clear(struct heel_policy_verdict *verdict)
{
    free(verdict->path);
    free(verdict->resolved_path);
    free(verdict->rule);
    free(verdict->remedy);
    *verdict = (struct heel_policy_verdict){0};
}
