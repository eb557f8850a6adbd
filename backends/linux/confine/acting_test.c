/* Files that act outside later: found, kept as they are in a sandbox that may write all around
 * them, and told of afterwards where they are new. As root and, from root, as an ordinary user. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/linux/confine/confine_fixture.h"
#include "backends/linux/confine/host.h"
#include "backends/linux/plan/acting_names.h"
#include "backends/linux/plan/plan_acting.h"
#include "base/test.h"

#define OTHER_USER 61234

static char *base;

static char *place(const char *name)
{
    return heel_format("%s/%s", base, name);
}

static void run_shell(const char *script)
{
    heel_autofree char *command = heel_format("cd '%s' && %s", base, script);

    if (system(command) != 0)
        HEEL_TEST_FAIL("failed: %s", script);
}

static void make_project(void)
{
    run_shell(
        "rm -rf project outside && mkdir -p project/.git/hooks project/.git/objects outside "
        "project/a/b/nested/.git/hooks project/module project/store/x.git/objects "
        "project/store/x.git/refs project/tools project/dot/editor project/a/plain "
        "project/node_modules/p/.git project/.claude && cd project && "
        "touch .git/config .git/HEAD a/b/nested/.git/config store/x.git/HEAD "
        "store/x.git/config .envrc tools/bazel dot/editor/tasks.json dot/bashrc a/plain/file "
        "node_modules/p/.npmrc .claude/settings.json a/.npmrc a/plain/lends a/plain/lends_group && "
        "chmod 4755 a/plain/lends && chmod 2755 a/plain/lends_group && "
        "echo 'gitdir: ../.git/modules/module' > module/.git && "
        "ln -s dot/editor .vscode && ln -s dot/bashrc .bashrc && ln -s nowhere .zshrc");
}

static struct heel_caller self(void)
{
    return (struct heel_caller){.uid = geteuid(), .gid = getegid()};
}

static uid_t sandbox_uid(void)
{
    return geteuid() ? geteuid() : 70000;
}

static struct heel_plan *plan_of(enum heel_level level, const struct heel_path_rule *rules,
                                 size_t count)
{
    static const char *const hidden[] = {NULL};
    heel_autofree char *work = place("project");
    struct heel_sandbox_spec spec = {.id = "test",
                                     .level = level,
                                     .working_dir = work,
                                     .paths = rules,
                                     .path_count = count,
                                     .caller = self()};
    heel_autoerror struct heel_error *error = NULL;
    struct heel_plan *plan = NULL;

    if (heel_fixture_plan(&spec, sandbox_uid(), NULL, hidden, &plan, &error) < 0) {
        HEEL_TEST_FAIL("no plan: %s", error->message);
        exit(1);
    }
    return plan;
}

static int kind_at(const struct heel_plan *plan, const char *name)
{
    heel_autofree char *path = heel_format("%s/project%s", base, name);
    int kind = -1;

    for (size_t i = 0; i < plan->mount_count; i++)
        if (strcmp(plan->mounts[i].target, path) == 0)
            kind = (int)plan->mounts[i].kind;
    return kind;
}

static void check_detail(const struct heel_plan *plan, enum heel_enforcement_state state,
                         const char *part)
{
    const char *detail = plan->acting->detail.data ? plan->acting->detail.data : "";

    CHECK_INT(plan->acting->state, state);
    if (part && !strstr(detail, part))
        HEEL_TEST_FAIL("\"%s\" is not in \"%s\"", part, detail);
}

/* ---- names ---- */

static void names_are_recognised(void)
{
    size_t length = 0;

    CHECK(heel_acting_name_of("/a/.git") && heel_acting_name_of("/a/.git")->repository);
    CHECK(heel_acting_name_of("/a/.GIT") != NULL);
    CHECK(heel_acting_name_of("/.envrc") != NULL);
    CHECK(heel_acting_name_of("/a/tools/bazel") != NULL);
    CHECK(heel_acting_name_of("/a/bazel") == NULL);
    CHECK(heel_acting_name_of("/a/.cargo/config.toml") != NULL);
    CHECK(heel_acting_name_of("/a/config.toml") == NULL);
    CHECK(heel_acting_name_of("/a/x.git") == NULL);
    CHECK(heel_acting_name_of("/a/.gitignore") == NULL);
    CHECK(heel_acting_name_of("/a/.git/HEAD") == NULL);
    CHECK(heel_acting_name_above("/a/.git/hooks/x", &length) != NULL);
    CHECK_INT(length, strlen("/a/.git"));
    CHECK(heel_acting_name_above("/a/b", &length) == NULL);
    for (size_t i = 0; i < heel_acting_name_count; i++)
        CHECK(heel_acting_names[i].reason && heel_acting_names[i].path[0] != '/');
}

/* ---- the plan ---- */

static void plans_keep_what_is_there(void)
{
    heel_autoplan struct heel_plan *plan = plan_of(HEEL_LEVEL_DEFAULT, NULL, 0);
    heel_autoplan struct heel_plan *permissive = plan_of(HEEL_LEVEL_PERMISSIVE, NULL, 0);

    check_detail(plan, HEEL_ENFORCEMENT_ACTIVE, NULL);
    CHECK_INT(kind_at(plan, "/.git"), HEEL_MOUNT_READ_ONLY);
    CHECK_INT(kind_at(plan, "/a"), HEEL_MOUNT_PIN);
    CHECK_INT(kind_at(plan, "/a/b"), HEEL_MOUNT_PIN);
    CHECK_INT(kind_at(plan, "/a/b/nested"), HEEL_MOUNT_PIN);
    CHECK_INT(kind_at(plan, "/a/b/nested/.git"), HEEL_MOUNT_READ_ONLY);
    CHECK_INT(kind_at(plan, "/a/plain"), -1);
    CHECK_INT(kind_at(plan, "/module"), HEEL_MOUNT_PIN);
    CHECK_INT(kind_at(plan, "/module/.git"), HEEL_MOUNT_READ_ONLY);
    CHECK_INT(kind_at(plan, "/store"), HEEL_MOUNT_PIN);
    CHECK_INT(kind_at(plan, "/store/x.git"), HEEL_MOUNT_READ_ONLY);
    CHECK_INT(kind_at(plan, "/node_modules/p/.git"), HEEL_MOUNT_READ_ONLY);
    CHECK_INT(kind_at(plan, "/node_modules/p/.npmrc"), -1);
    CHECK_INT(kind_at(plan, "/.envrc"), HEEL_MOUNT_READ_ONLY);
    CHECK_INT(kind_at(plan, "/tools"), -1);
    CHECK_INT(kind_at(plan, "/tools/bazel"), HEEL_MOUNT_READ_ONLY);
    CHECK_INT(kind_at(plan, "/.vscode"), HEEL_MOUNT_PIN);
    CHECK_INT(kind_at(plan, "/dot/editor"), HEEL_MOUNT_READ_ONLY);
    CHECK_INT(kind_at(plan, "/.zshrc"), HEEL_MOUNT_PIN);
    check_detail(permissive, HEEL_ENFORCEMENT_DISABLED, NULL);
    CHECK_INT(kind_at(permissive, "/.git"), -1);
}

static void what_is_granted_is_said(void)
{
    heel_autofree char *git = place("project/.git"), *hooks = place("project/.git/hooks"),
                       *nested = place("project/a/b/nested"), *claude = place("project/.claude"),
                       *bare = place("project/store/x.git");
    const struct heel_path_rule whole = {git, HEEL_ACCESS_WRITE}, part = {hooks, HEEL_ACCESS_WRITE},
                                read = {git, HEEL_ACCESS_READ}, deny = {claude, HEEL_ACCESS_DENY},
                                narrowed = {nested, HEEL_ACCESS_READ},
                                repository = {bare, HEEL_ACCESS_WRITE};
    heel_autoplan struct heel_plan *plan = plan_of(HEEL_LEVEL_STRICT, &whole, 1);

    check_detail(plan, HEEL_ENFORCEMENT_DEGRADED, "spec.filesystem.paths[0].path lets \"");
    check_detail(plan, HEEL_ENFORCEMENT_DEGRADED, "/project/.git\" be written: git runs");
    CHECK_INT(kind_at(plan, "/.git"), HEEL_MOUNT_BIND);
    CHECK_INT(kind_at(plan, "/.envrc"), HEEL_MOUNT_READ_ONLY);

    heel_autoplan struct heel_plan *of_part = plan_of(HEEL_LEVEL_STRICT, &part, 1);
    check_detail(of_part, HEEL_ENFORCEMENT_DEGRADED, "/project/.git\" be written");
    CHECK_INT(kind_at(of_part, "/.git"), HEEL_MOUNT_READ_ONLY);
    heel_autoplan struct heel_plan *of_bare = plan_of(HEEL_LEVEL_STRICT, &repository, 1);
    check_detail(of_bare, HEEL_ENFORCEMENT_DEGRADED, "/store/x.git\" be written: git runs");
    heel_autoplan struct heel_plan *of_read = plan_of(HEEL_LEVEL_STRICT, &read, 1);
    check_detail(of_read, HEEL_ENFORCEMENT_ACTIVE, NULL);
    heel_autoplan struct heel_plan *of_deny = plan_of(HEEL_LEVEL_STRICT, &deny, 1);
    check_detail(of_deny, HEEL_ENFORCEMENT_ACTIVE, NULL);
    CHECK_INT(kind_at(of_deny, "/.claude"), HEEL_MOUNT_MASK);
    heel_autoplan struct heel_plan *of_narrowed = plan_of(HEEL_LEVEL_STRICT, &narrowed, 1);
    CHECK_INT(kind_at(of_narrowed, "/a/b/nested/.git"), -1);
}

static void what_cannot_be_held_is_said(void)
{
    run_shell("ln project/.envrc project/second");
    heel_autoplan struct heel_plan *linked = plan_of(HEEL_LEVEL_STRICT, NULL, 0);
    check_detail(linked, HEEL_ENFORCEMENT_DEGRADED, "/.envrc\" has a second name");
    run_shell("rm project/second && ln -s .. project/a/.idea");
    heel_autoplan struct heel_plan *looped = plan_of(HEEL_LEVEL_STRICT, NULL, 0);
    check_detail(looped, HEEL_ENFORCEMENT_DEGRADED, "/a/.idea\" is a link to a directory that");
    run_shell("rm project/a/.idea && d=project/deep && mkdir $d && cd $d && "
              "for i in $(seq 40); do mkdir d; cd d; done");
    heel_autoplan struct heel_plan *deep = plan_of(HEEL_LEVEL_STRICT, NULL, 0);
    check_detail(deep, HEEL_ENFORCEMENT_DEGRADED, "lies too deep");
    run_shell("rm -rf project/deep && mkdir project/closed && chmod 0 project/closed");
    heel_autoplan struct heel_plan *closed = plan_of(HEEL_LEVEL_STRICT, NULL, 0);
    if (geteuid() != 0)
        check_detail(closed, HEEL_ENFORCEMENT_DEGRADED, "/closed\" can't be read");
    run_shell("chmod 755 project/closed && rmdir project/closed");
}

/* ---- inside ---- */

static void check_failure(int result, const char *what)
{
    if (result == 0)
        HEEL_TEST_FAIL("possible: %s", what);
}

static int write_to(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}

static int inside_project(void *data)
{
    static const char *const kept[] = {".git/config",
                                       ".git/hooks/pre-commit",
                                       ".git/commondir",
                                       ".git/new",
                                       "a/b/nested/.git/config",
                                       "a/b/nested/.git/hooks/post-checkout",
                                       "module/.git",
                                       "store/x.git/config",
                                       ".envrc",
                                       "tools/bazel",
                                       "dot/editor/tasks.json",
                                       ".vscode/tasks.json",
                                       ".vscode/new",
                                       ".bashrc",
                                       "dot/bashrc",
                                       ".claude/settings.json",
                                       "a/.npmrc",
                                       "a/plain/lends",
                                       "a/plain/lends_group",
                                       "node_modules/p/.git/config"};
    static const char *const pinned[] = {
        ".git",    "a",       "a/b",    "a/b/nested", "a/b/nested/.git", "module",        "store",
        ".vscode", ".bashrc", ".zshrc", ".envrc",     "tools/bazel",     "node_modules/p"};

    (void)data;
    heel_test_failures = 0;
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(kept); i++)
        check_failure(write_to(kept[i]), kept[i]);
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(pinned); i++) {
        check_failure(rename(pinned[i], "moved"), pinned[i]);
        check_failure(unlink(pinned[i]), pinned[i]);
        check_failure(rmdir(pinned[i]), pinned[i]);
        check_failure(umount2(pinned[i], MNT_DETACH), pinned[i]);
    }
    check_failure(chmod(".git/config", 0777), "chmod .git/config");
    check_failure(link(".envrc", "hard"), "a second name of .envrc");
    check_failure(write_to("a/plain/../../.git/config"), "a way around");
    CHECK(rename("a/plain/file", "a/plain/other") == 0);
    CHECK(write_to("a/b/nested/source") == 0 && unlink("a/b/nested/source") == 0);
    CHECK(write_to("a/plain/file") == 0 && write_to("new") == 0);
    CHECK(access(".git/config", R_OK) == 0);
    return heel_test_end();
}

static int inside_planting(void *data)
{
    (void)data;
    CHECK_INT(system("mkdir -p fresh/.git && touch fresh/.git/config .npmrc a/plain/.envrc && "
                     "mkdir other && cd other && mkdir objects refs && touch HEAD && cd .. && "
                     "touch nowhere && rm -rf fresh2 && mkdir fresh2"),
              0);
    return heel_test_end();
}

static void run_inside(const struct heel_plan *plan, heel_fixture_inside *inside)
{
    heel_autoerror struct heel_error *error = NULL;
    const struct heel_caller caller = self();
    int result = heel_fixture_run(plan, &caller, inside, NULL, false, &error);

    if (result != 0)
        HEEL_TEST_FAIL("user %u: %s: %d", geteuid(), error ? error->message : "inside", result);
}

static void sandboxes_keep_what_is_there(void)
{
    for (int level = HEEL_LEVEL_STRICT; level <= HEEL_LEVEL_DEFAULT; level++) {
        heel_autoplan struct heel_plan *plan = plan_of((enum heel_level)level, NULL, 0);

        run_inside(plan, inside_project);
        run_shell("rm -f project/new project/a/plain/other");
    }
}

static int inside_commit(void *data)
{
    (void)data;
    return system("git -c user.name=x -c user.email=x@y -c safe.directory='*' commit -q "
                  "--allow-empty -m x 2> /tmp/errors")
               ? 1
               : 0;
}

static int inside_status(void *data)
{
    (void)data;
    return inside_commit(NULL) == 0 ||
           system("git -c safe.directory='*' status > /tmp/status") != 0;
}

static void commits_need_a_grant(void)
{
    heel_autofree char *git = place("project/.git");
    const struct heel_path_rule rule = {git, HEEL_ACCESS_WRITE};

    if (access("/usr/bin/git", X_OK) < 0) {
        printf("not tried, as there is no git: commits\n");
        return;
    }
    run_shell("rm -rf project/.git && git -C project init -q");
    heel_autoplan struct heel_plan *granted = plan_of(HEEL_LEVEL_DEFAULT, &rule, 1);
    heel_autoplan struct heel_plan *kept = plan_of(HEEL_LEVEL_DEFAULT, NULL, 0);
    run_inside(kept, inside_status);
    run_inside(granted, inside_commit);
}

static bool is_found(const struct heel_acting_files *files, const char *name)
{
    heel_autofree char *path = place(name);

    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->items[i].path, path) == 0)
            return true;
    return false;
}

static void what_is_new_is_told(void)
{
    heel_autoplan struct heel_plan *plan = plan_of(HEEL_LEVEL_STRICT, NULL, 0);
    const struct heel_caller caller = self();
    struct heel_acting_files found;

    REQUIRE(heel_plan_find_new_acting(plan, &caller, &found, NULL) == 0);
    CHECK_INT(found.count, 0);
    heel_acting_files_clear(&found);
    run_inside(plan, inside_planting);
    REQUIRE(heel_plan_find_new_acting(plan, &caller, &found, NULL) == 0);
    CHECK_INT(found.count, 5);
    CHECK(is_found(&found, "project/fresh/.git"));
    CHECK(is_found(&found, "project/other"));
    CHECK(is_found(&found, "project/.npmrc"));
    CHECK(is_found(&found, "project/a/plain/.envrc"));
    CHECK(is_found(&found, "project/.zshrc")); /* the link led nowhere before */
    CHECK(found.incomplete == NULL);
    heel_acting_files_clear(&found);
}

/* What moved between the plan and the mounts is not protected in its new place. */
static void moved_repositories_are_refused(void)
{
    heel_autoplan struct heel_plan *plan = plan_of(HEEL_LEVEL_STRICT, NULL, 0);
    const struct heel_caller caller = self();
    heel_autoerror struct heel_error *error = NULL;

    run_shell("mv project/a/b/nested project/a/b/aside && mkdir -p project/a/b/nested/.git");
    CHECK_INT(heel_fixture_run(plan, &caller, inside_project, NULL, false, &error), -1);
    CHECK(error && error->code == HEEL_FAILED_PRECONDITION);
    heel_error_free(heel_steal(error));
    run_shell("rm -rf project/a/b/nested && ln -s /usr project/a/b/nested");
    CHECK_INT(heel_fixture_run(plan, &caller, inside_project, NULL, false, &error), -1);
    CHECK(error && error->code == HEEL_FAILED_PRECONDITION);
}

/* Root's files are lent to sandboxes by id-mapped mounts, which the file system of /tmp may not
 * have (overlayfs): tmpfs does. */
static bool own_mounts;

static void make_own_mounts(void)
{
    own_mounts = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
                 mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void run_all(void)
{
    char template[] = "/tmp/acting_test.XXXXXX";

    REQUIRE(mkdtemp(template));
    if (own_mounts)
        REQUIRE(mount("acting_test", template, "tmpfs", 0, NULL) == 0);
    REQUIRE(chmod(template, 0755) == 0);
    base = realpath(template, NULL);
    make_project();
    plans_keep_what_is_there();
    what_is_granted_is_said();
    what_cannot_be_held_is_said();
    make_project();
    sandboxes_keep_what_is_there();
    commits_need_a_grant();
    make_project();
    what_is_new_is_told();
    make_project();
    moved_repositories_are_refused();
    run_shell("rm -rf project outside");
    if (own_mounts)
        CHECK_INT(umount2(base, MNT_DETACH), 0);
    CHECK_INT(rmdir(base), 0);
    free(heel_steal(base));
}

static void run_as_other_user(void)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        heel_test_failures = 0;
        REQUIRE(setgroups(0, NULL) == 0 && setresgid(OTHER_USER, OTHER_USER, OTHER_USER) == 0 &&
                setresuid(OTHER_USER, OTHER_USER, OTHER_USER) == 0);
        prctl(PR_SET_DUMPABLE, 1);
        own_mounts = false;
        run_all();
        exit(heel_test_end());
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK_INT(status, 0);
}

int main(void)
{
    struct heel_host_info info;
    bool supported;

    names_are_recognised();
    heel_host_probe(HEEL_NAMESPACES_AUTO, &info);
    supported = info.supported;
    heel_host_info_clear(&info);
    if (!supported)
        return heel_test_skip("this host can't run sandboxes");
    make_own_mounts();
    run_all();
    if (geteuid() == 0)
        run_as_other_user();
    return heel_test_end();
}
