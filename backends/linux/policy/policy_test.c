/* Verdicts over plans of a made-up host. */
#include "backends/linux/policy/policy.h"

#include <sys/stat.h>

#include "backends/linux/facts/host_facts.h"
#include "backends/linux/plan/plan_build.h"
#include "base/test.h"

#define UID 4711

/* What the host has; no more than what the tests walk through. */
static const struct {
    const char *path;
    mode_t mode;
    uid_t uid;
    const char *link;
    bool read_only;
} nodes[] = {
    {"/", S_IFDIR | 0755, 0, NULL, false},
    {"/usr", S_IFDIR | 0755, 0, NULL, false},
    {"/usr/bin", S_IFDIR | 0755, 0, NULL, false},
    {"/usr/bin/env", S_IFREG | 0755, 0, NULL, false},
    {"/usr/bin/sh", S_IFLNK | 0777, 0, "env", false},
    {"/usr/bin/away", S_IFLNK | 0777, 0, "../../home/alice/secret", false},
    {"/usr/bin/round", S_IFLNK | 0777, 0, "round", false},
    {"/usr/bin/sudo", S_IFREG | 04711, 0, NULL, false},
    {"/etc", S_IFDIR | 0755, 0, NULL, false},
    {"/etc/hosts", S_IFREG | 0644, 0, NULL, false},
    {"/etc/shadow", S_IFREG | 0640, 0, NULL, false},
    {"/home/alice", S_IFDIR | 0755, UID, NULL, false},
    {"/home/alice/secret", S_IFREG | 0600, UID, NULL, false},
    {"/opt", S_IFDIR | 0755, 0, NULL, false},
    {"/opt/mine", S_IFDIR | 0755, UID, NULL, false},
    {"/opt/mine/file", S_IFREG | 0644, UID, NULL, false},
    {"/opt/mine/closed", S_IFDIR | 0700, 1, NULL, false},
    {"/opt/mine/socket", S_IFSOCK | 0777, UID, NULL, false},
    {"/opt/image", S_IFDIR | 0777, UID, NULL, true},
    {"/proc/version", S_IFREG | 0444, 0, NULL, false},
    {"/proc/kcore", S_IFREG | 0400, 0, NULL, false},
    {"/proc/sys", S_IFDIR | 0555, 0, NULL, false},
    {"/proc/sys/core_pattern", S_IFREG | 0666, 0, NULL, false},
    {"/proc/keys", S_IFREG | 0444, 0, NULL, false},
    {"/dev/null", S_IFCHR | 0666, 0, NULL, false},
    {"/dev/zero", S_IFCHR | 0666, 0, NULL, false},
    {"/dev/full", S_IFCHR | 0666, 0, NULL, false},
    {"/dev/random", S_IFCHR | 0666, 0, NULL, false},
    {"/dev/urandom", S_IFCHR | 0666, 0, NULL, false},
    {"/dev/tty", S_IFCHR | 0666, 0, NULL, false},
    {"/opt/disk", S_IFBLK | 0666, 0, NULL, false},
};

static struct heel_host_facts facts;
static const char *hidden[] = {"/opt/heel", NULL};

static void look(const struct heel_policy_host *host, const char *path,
                 struct heel_policy_node *node)
{
    (void)host;
    *node = (struct heel_policy_node){0};
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(nodes); i++)
        if (strcmp(nodes[i].path, path) == 0)
            *node = (struct heel_policy_node){
                .mode = nodes[i].mode,
                .uid = nodes[i].uid,
                .read_only = nodes[i].read_only,
                .link = nodes[i].link ? heel_xstrdup(nodes[i].link) : NULL,
            };
}

static void make_up_host(void)
{
    static const char *const directories[] = {"/usr", "/etc", "/home", "/opt"};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(directories); i++)
        heel_host_facts_add_entry(&facts.top, &facts.top_count, directories[i], NULL, true);
    heel_host_facts_add_entry(&facts.top, &facts.top_count, "/bin", "usr/bin", false);
    heel_host_facts_add_user(&facts, 1000, "alice", "/home/alice", true);
    heel_host_facts_add_secret(&facts.masks, &facts.mask_count, "/opt/mine/closed",
                               HEEL_PROTECTED_PERSONAL);
}

static struct heel_plan *plan_of(enum heel_level level)
{
    struct heel_sandbox_spec spec = {.id = "test", .level = level};
    struct heel_plan_input input = {.spec = &spec,
                                    .facts = &facts,
                                    .work_source = "/state/work",
                                    .hidden = hidden,
                                    .uid = UID,
                                    .gid = UID};
    heel_autoerror struct heel_error *error = NULL;
    struct heel_plan *plan = NULL;

    REQUIRE(heel_plan_make(&input, &plan, &error) == 0);
    return plan;
}

/* As if a rule of the spec had named it. */
static void grant(struct heel_plan *plan, const char *path, uint64_t rights, unsigned flags)
{
    heel_plan_add_mount(plan, HEEL_MOUNT_BIND, flags | HEEL_MOUNT_NAMED, path, path, "path rule");
    heel_plan_add_rule(plan, path, rights, "path rule");
    heel_plan_sort_mounts(plan);
}

static struct heel_policy_verdict judge(const struct heel_plan *plan, const char *path,
                                        unsigned access)
{
    static const struct heel_policy_host host = {.look = look};
    struct heel_policy_test test = {path, access};
    struct heel_policy_verdict verdict;

    heel_policy_judge(plan, &host, &test, &verdict);
    return verdict;
}

struct expected {
    const char *path;
    unsigned access;
    bool allowed;
    const char *rule; /* a part of it */
    const char *origin;
    const char *remedy; /* a part of it, or "" for none at all */
};

static void check(const struct heel_plan *plan, const struct expected *expected)
{
    struct heel_policy_verdict verdict = judge(plan, expected->path, expected->access);

    if (verdict.allowed != expected->allowed || !strstr(verdict.rule, expected->rule) ||
        strcmp(verdict.origin, expected->origin) != 0 ||
        (expected->remedy[0] ? !strstr(verdict.remedy, expected->remedy) : verdict.remedy[0]))
        HEEL_TEST_FAIL("%s %u: %s, \"%s\", \"%s\", \"%s\"; expected %s, \"%s\", \"%s\", \"%s\"",
                       expected->path, expected->access, verdict.allowed ? "allowed" : "refused",
                       verdict.rule, verdict.origin, verdict.remedy,
                       expected->allowed ? "allowed" : "refused", expected->rule, expected->origin,
                       expected->remedy);
    heel_policy_verdict_clear(&verdict);
}

#define READ HEEL_ACCESS_READ
#define WRITE HEEL_ACCESS_WRITE
#define EXECUTE HEEL_ACCESS_EXECUTE

/* clang-format off */
static const struct expected strict[] = {
    {"/", READ, true, "rule \"/\" read_dir", "own root", ""},
    {"/usr/bin/env", READ, true, "rule \"/usr\"", "level STRICT", ""},
    {"/usr/bin/env", EXECUTE, true, "rule \"/usr\"", "level STRICT", ""},
    {"/bin/sh", EXECUTE, true, "rule \"/usr\"", "level STRICT", ""},
    {"/usr/./bin/../bin//sh", EXECUTE, true, "rule \"/usr\"", "level STRICT", ""},
    {"/usr/bin/env", WRITE, false, "rule \"/usr\"", "level STRICT", "a rule with WRITE for \"/usr/bin/env\""},
    {"/usr/bin/none", READ, false, "nothing is there on the host", "level STRICT", ""},
    {"/usr/bin/none", WRITE, false, "rule \"/usr\"", "level STRICT", "WRITE"},
    {"/usr/bin/env/x", READ, false, "no directory", "level STRICT", ""},
    {"/usr/bin/round", READ, false, "too many symbolic links", "level STRICT", ""},
    {"/usr/bin/sudo", READ, false, "mode 4711, uid 0", "host", ""},
    {"/usr/bin/sudo", EXECUTE, true, "rule \"/usr\"", "level STRICT", ""},
    {"/usr/bin/away", READ, false, "nothing of the host is shown", "own root", "\"/home/alice/secret\""},
    {"/opt/mine/file", READ, false, "nothing of the host is shown", "own root", "READ for \"/opt/mine/file\""},
    {"/etc/shadow", READ, false, "nothing of the host is shown", "own root", "READ"},
    {"/etc/hosts", READ, true, "rule \"/etc\"", "level STRICT", ""},
    {"/etc/hosts", WRITE, false, "rule \"/etc\"", "level STRICT", "WRITE"},
    {"/work", WRITE, true, "rule \"/work\"", "working directory", ""},
    {"/work/new", WRITE, true, "rule \"/work\"", "working directory", ""},
    {"/work/new", READ, false, "before the sandbox makes it", "working directory", ""},
    {"/work/any/thing", WRITE, false, "before the sandbox makes it", "working directory", ""},
    {"/tmp/x", READ, false, "before the sandbox makes it", "scratch", "READ for \"/tmp/x\""},
    {"/tmp/x", WRITE, true, "rule \"/tmp\"", "scratch", ""},
    {"/proc/self/status", READ, true, "rule \"/proc\"", "own /proc", ""},
    {"/proc/version", READ, true, "rule \"/proc\"", "own /proc", ""},
    {"/proc/version", EXECUTE, false, "rule \"/proc\"", "own /proc", "none: it can't be granted"},
    {"/proc/kcore", READ, false, "mode 0400", "host", ""},
    {"/proc/sys/core_pattern", READ, true, "rule \"/proc\"", "own /proc", ""},
    {"/proc/sys/core_pattern", WRITE, false, "read-only \"/proc/sys\"", "own /proc", "none: it can't be granted"},
    {"/proc/keys", READ, false, "mask \"/proc/keys\"", "own /proc", "none"},
    {"/dev/null", WRITE, true, "rule \"/dev\"", "own /dev", ""},
    {"/dev/sda", READ, false, "nothing of the host is shown", "own root", "none: it can't be granted, as each sandbox has a /dev"},
    {"/dev/new", WRITE, false, "nothing of the host is shown", "own root", "none: it can't be granted"},
    {"/run/docker.sock", WRITE, false, "nothing of the host is shown", "own root", "sockets of the host"},
};

static const struct expected standard[] = {
    {"/opt/mine/file", READ, true, "rule \"/opt\"", "level DEFAULT", ""},
    {"/opt/mine/file", WRITE, false, "rule \"/opt\"", "level DEFAULT", "WRITE"},
    {"/opt/mine/socket", READ, false, "a socket", "level DEFAULT", ""},
    {"/opt/disk", READ, false, "bind \"/opt\"", "level DEFAULT", ""},
    {"/etc/shadow", READ, false, "mode 0640, uid 0", "host", ""},
    {"/opt/mine/closed", READ, false, "mask \"/opt/mine/closed\"", "protection: user data", "READ for \"/opt/mine/closed\""},
    {"/opt/mine/closed/deep/file", READ, false, "mask \"/opt/mine/closed\"", "protection: user data", "\"/opt/mine/closed/deep/file\""},
    {"/home/alice", READ, false, "nothing of the host is shown", "own root", "READ"},
};

static const struct expected permissive[] = {
    {"/opt/mine/file", WRITE, true, "rule \"/opt\"", "level PERMISSIVE", ""},
    {"/opt/mine/new", WRITE, true, "rule \"/opt\"", "level PERMISSIVE", ""},
    {"/opt/mine/closed", READ, false, "mode 0700, uid 1", "host", ""},
    {"/opt/new", WRITE, false, "mode 0755, uid 0", "host", ""},
    {"/opt/image/new", WRITE, false, "read-only on the host", "level PERMISSIVE", ""},
    {"/usr/bin/env", WRITE, false, "mode 0755, uid 0", "host", ""},
};
/* clang-format on */

static void check_level(enum heel_level level, const struct expected *expected, size_t count)
{
    heel_autoplan struct heel_plan *plan = plan_of(level);

    for (size_t i = 0; i < count; i++)
        check(plan, &expected[i]);
}

static void a_grant_opens_what_it_names(void)
{
    heel_autoplan struct heel_plan *plan = plan_of(HEEL_LEVEL_STRICT);
    static const struct expected rows[] = {
        {"/opt/mine/file", READ, true, "rule \"/opt/mine\"", "path rule", ""},
        {"/opt/mine/new", WRITE, true, "rule \"/opt/mine\"", "path rule", ""},
        {"/opt/mine/file", EXECUTE, false, "rule \"/opt/mine\"", "path rule", "EXECUTE"},
        {"/opt/mine/closed/x", READ, false, "mode 0700, uid 1", "host", ""},
        {"/opt/x", READ, false, "nothing of the host is shown", "own root", "READ"},
        {"/opt", READ, true, "rule \"/\"", "own root", ""},
    };

    grant(plan, "/opt/mine", heel_plan_rights_of(HEEL_ACCESS_READ | HEEL_ACCESS_WRITE),
          HEEL_MOUNT_WRITABLE);
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(rows); i++)
        check(plan, &rows[i]);
}

static void what_lies_over_a_grant_counts(void)
{
    heel_autoplan struct heel_plan *plan = plan_of(HEEL_LEVEL_STRICT);
    static const struct expected pinned = {
        "/opt/mine/file",           WRITE,   false, "read-only \"/opt/mine/file\"",
        "protection: acting files", "WRITE",
    };
    static const struct expected denied = {
        "/opt/mine/file", READ, false, "mask \"/opt/mine/file\"", "path rule", "leave out the rule",
    };

    grant(plan, "/opt/mine", heel_plan_rights_of(HEEL_ACCESS_READ | HEEL_ACCESS_WRITE),
          HEEL_MOUNT_WRITABLE);
    heel_plan_add_mount(plan, HEEL_MOUNT_READ_ONLY, HEEL_MOUNT_EXECUTABLE, NULL, "/opt/mine/file",
                        "protection: acting files");
    check(plan, &pinned);
    heel_plan_add_mount(plan, HEEL_MOUNT_MASK, 0, NULL, "/opt/mine/file", "path rule");
    check(plan, &denied);
}

/* Landlock alone: what the rules leave out can't be reached, and nothing is mounted. */
static void a_plan_without_mounts(void)
{
    heel_autoplan struct heel_plan *plan = heel_xcalloc(1, sizeof(*plan));
    static const struct expected rows[] = {
        {"/usr/bin/sh", EXECUTE, true, "rule \"/usr\"", "level STRICT", ""},
        {"/opt/mine/file", READ, false, "no rule", "", "READ for \"/opt/mine/file\""},
    };

    plan->uid = UID;
    heel_plan_add_rule(plan, "/usr", heel_plan_rights_of(READ | EXECUTE), "level STRICT");
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(rows); i++)
        check(plan, &rows[i]);
}

static void it_tells_where_links_lead(void)
{
    heel_autoplan struct heel_plan *plan = plan_of(HEEL_LEVEL_STRICT);
    struct heel_policy_verdict verdict = judge(plan, "/bin/sh", READ);

    CHECK_STR(verdict.path, "/bin/sh");
    CHECK_STR(verdict.resolved_path, "/usr/bin/env");
    heel_policy_verdict_clear(&verdict);
}

/* A tree in which each of 40 links leads down a long way, to the next. */
static void look_at_maze(const struct heel_policy_host *host, const char *path,
                         struct heel_policy_node *node)
{
    const char *last = strrchr(path, '/') + 1;

    (void)host;
    *node = (struct heel_policy_node){.mode = S_IFDIR | 0755, .uid = UID};
    if (*last == 'l') {
        heel_autofree char *way = heel_format("%1000s", "");

        memset(way, 'd', 1000);
        for (size_t i = 1; i < 1000; i += 2)
            way[i] = '/';
        *node = (struct heel_policy_node){.mode = S_IFLNK | 0777, .uid = UID};
        node->link = heel_format("/opt/mine/%sl", way);
    }
}

static void a_maze_is_left_when_its_effort_is_spent(void)
{
    heel_autoplan struct heel_plan *plan = plan_of(HEEL_LEVEL_DEFAULT);
    uint64_t effort = 100000;
    struct heel_policy_host host = {.look = look_at_maze, .effort = &effort};
    struct heel_policy_test test = {"/opt/mine/l", HEEL_ACCESS_READ};
    struct heel_policy_verdict verdict;

    grant(plan, "/opt/mine", heel_plan_rights_of(HEEL_ACCESS_READ), 0);
    for (int i = 0; i < 2; i++) {
        heel_policy_judge(plan, &host, &test, &verdict);
        CHECK(verdict.undecided && !verdict.allowed && !verdict.remedy[0]);
        CHECK_INT(effort, 0);
        heel_policy_verdict_clear(&verdict);
    }
    host.effort = NULL; /* the kernel's own end of it */
    heel_policy_judge(plan, &host, &test, &verdict);
    CHECK(!verdict.undecided && strstr(verdict.rule, "too many symbolic links"));
    heel_policy_verdict_clear(&verdict);
}

static void an_honest_question_is_answered(void)
{
    heel_autoplan struct heel_plan *plan = plan_of(HEEL_LEVEL_DEFAULT);
    uint64_t effort = heel_policy_effort_for(1000);
    const struct heel_policy_host host = {.look = look, .effort = &effort};
    struct heel_policy_test test = {"/usr/bin/sh", HEEL_ACCESS_EXECUTE};

    for (int i = 0; i < 1000; i++) {
        struct heel_policy_verdict verdict;

        heel_policy_judge(plan, &host, &test, &verdict);
        CHECK(verdict.allowed);
        heel_policy_verdict_clear(&verdict);
    }
    CHECK(effort > heel_policy_effort_for(1000) / 2);
}

static void the_list_is_complete(void)
{
    heel_autoplan struct heel_plan *plan = plan_of(HEEL_LEVEL_DEFAULT);
    struct heel_policy_entry *entries;
    size_t count, kinds[HEEL_POLICY_SYSTEM_CALL_RULE + 1] = {0};

    heel_policy_list(plan, &entries, &count);
    for (size_t i = 0; i < count; i++) {
        kinds[entries[i].kind]++;
        CHECK(entries[i].text[0] && entries[i].origin[0]);
    }
    CHECK_INT(kinds[HEEL_POLICY_MOUNT], plan->mount_count);
    CHECK_INT(kinds[HEEL_POLICY_LANDLOCK_RULE], plan->rule_count);
    CHECK(kinds[HEEL_POLICY_SYSTEM_CALLS] > 10 && kinds[HEEL_POLICY_SYSTEM_CALL_RULE] > 30);
    heel_policy_entries_free(entries, count);
}

int main(void)
{
    make_up_host();
    check_level(HEEL_LEVEL_STRICT, strict, HEEL_ARRAY_LENGTH(strict));
    check_level(HEEL_LEVEL_DEFAULT, standard, HEEL_ARRAY_LENGTH(standard));
    check_level(HEEL_LEVEL_PERMISSIVE, permissive, HEEL_ARRAY_LENGTH(permissive));
    a_grant_opens_what_it_names();
    what_lies_over_a_grant_counts();
    a_plan_without_mounts();
    it_tells_where_links_lead();
    a_maze_is_left_when_its_effort_is_spent();
    an_honest_question_is_answered();
    the_list_is_complete();
    return heel_test_end();
}
