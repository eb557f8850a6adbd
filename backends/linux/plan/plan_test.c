/* Plans for made-up hosts; only paths that a spec names are looked for on this one. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "backends/linux/facts/host_facts.h"
#include "backends/linux/kernel/landlock_rights.h"
#include "backends/linux/plan/plan.h"
#include "backends/linux/plan/plan_build.h"
#include "base/test.h"

#define SANDBOX_UID 4711

static struct heel_host_facts facts;
static char *base; /* a canonical directory for what is named */
static const char *hidden[] = {"/var/lib/heel", NULL, NULL};

struct request {
    enum heel_level level;
    const char *working_dir;
    struct heel_path_rule rules[8];
    size_t rule_count;
    bool apart; /* write_xor_execute */
};

static void make_up_host(void)
{
    static const char *const directories[] = {"/usr",  "/etc",  "/home", "/root", "/var",
                                              "/data", "/proc", "/sys",  "/dev",  "/run",
                                              "/tmp",  "/work", "/opt"};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(directories); i++)
        heel_host_facts_add_entry(&facts.top, &facts.top_count, directories[i], NULL, true);
    heel_host_facts_add_entry(&facts.top, &facts.top_count, "/bin", "usr/bin", false);
    heel_host_facts_add_entry(&facts.etc, &facts.etc_count, "/etc/ld.so.cache", NULL, false);
    heel_host_facts_add_entry(&facts.etc, &facts.etc_count, "/etc/localtime",
                              "/usr/share/zoneinfo/UTC", false);
    heel_host_facts_add_user(&facts, 1000, "alice", "/home/alice", true);
    heel_host_facts_add_user(&facts, 1001, "bob", "/data/homes/bob", true);
    heel_host_facts_add_secret(&facts.masks, &facts.mask_count, "/var/mail",
                               HEEL_PROTECTED_PERSONAL);
    heel_host_facts_add_secret(&facts.masks, &facts.mask_count, "/var/lib/lxd",
                               HEEL_PROTECTED_ALWAYS);
}

static int make(const struct request *request, struct heel_plan **plan, struct heel_error **err)
{
    struct heel_sandbox_spec spec = {
        .id = "test",
        .level = request->level,
        .working_dir = request->working_dir,
        .paths = request->rules,
        .path_count = request->rule_count,
        .write_xor_execute = request->apart,
        .caller = {.uid = geteuid(), .gid = getegid()},
    };
    struct heel_plan_input input = {
        .spec = &spec,
        .facts = &facts,
        .work_source = request->working_dir ? NULL : "/state/work",
        .hidden = hidden,
        .uid = SANDBOX_UID,
        .gid = SANDBOX_UID,
    };

    return heel_plan_make(&input, plan, err);
}

static struct heel_plan *plan_of(const struct request *request)
{
    heel_autoerror struct heel_error *error = NULL;
    struct heel_plan *plan = NULL;

    if (make(request, &plan, &error) < 0) {
        HEEL_TEST_FAIL("no plan: %s", error->message);
        exit(1);
    }
    return plan;
}

static void check_refused(const struct request *request, enum heel_code code, const char *reason,
                          const char *field)
{
    heel_autoerror struct heel_error *error = NULL;
    heel_autoplan struct heel_plan *plan = NULL;

    CHECK_INT(make(request, &plan, &error), -1);
    REQUIRE(error != NULL);
    CHECK_INT(error->code, code);
    CHECK_STR(error->reason, reason);
    CHECK_STR(error->field, field);
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

static uint64_t rights_at(const struct heel_plan *plan, const char *path)
{
    uint64_t rights = 0;

    for (size_t i = 0; i < plan->rule_count; i++)
        if (strcmp(plan->rules[i].path, path) == 0)
            rights |= plan->rules[i].rights;
    return rights;
}

static char *place(const char *name)
{
    return heel_format("%s/%s", base, name);
}

static void make_dir(const char *name)
{
    heel_autofree char *path = place(name);

    REQUIRE(mkdir(path, 0755) == 0 || errno == EEXIST);
}

static void make_file(const char *name)
{
    heel_autofree char *path = place(name);
    heel_autoclose int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

    REQUIRE(fd >= 0);
}

static void make_link(const char *name, const char *to)
{
    heel_autofree char *path = place(name);

    REQUIRE(symlink(to, path) == 0);
}

/* ---- levels ---- */

static void strict_shows_the_minimum(void)
{
    heel_autoplan struct heel_plan *plan = plan_of(&(struct request){.level = HEEL_LEVEL_STRICT});

    CHECK_INT(kind_at(plan, "/"), HEEL_MOUNT_TMPFS);
    CHECK_INT(kind_at(plan, "/usr"), HEEL_MOUNT_BIND);
    CHECK_INT(kind_at(plan, "/bin"), HEEL_MOUNT_SYMLINK);
    CHECK_INT(kind_at(plan, "/etc/ld.so.cache"), HEEL_MOUNT_BIND);
    CHECK_INT(kind_at(plan, "/etc/localtime"), HEEL_MOUNT_SYMLINK);
    CHECK_INT(kind_at(plan, "/etc/passwd"), HEEL_MOUNT_FILE);
    CHECK_INT(kind_at(plan, "/etc"), -1);
    CHECK_INT(kind_at(plan, "/var"), -1);
    CHECK_INT(kind_at(plan, "/opt"), -1);
    CHECK_INT(kind_at(plan, "/data"), -1);
    CHECK_INT(rights_at(plan, "/usr"), HEEL_LANDLOCK_READ | HEEL_LANDLOCK_EXECUTE);
    CHECK_INT(rights_at(plan, "/"), HEEL_LANDLOCK_READ_DIR);
}

static void default_shows_all_but_what_is_protected(void)
{
    heel_autoplan struct heel_plan *plan = plan_of(&(struct request){.level = HEEL_LEVEL_DEFAULT});

    CHECK_INT(kind_at(plan, "/data"), HEEL_MOUNT_BIND);
    CHECK_INT(last_at(plan, "/data")->flags & HEEL_MOUNT_WRITABLE, 0);
    CHECK_INT(kind_at(plan, "/root"), -1);
    CHECK_INT(kind_at(plan, "/home"), HEEL_MOUNT_DIR);
    CHECK_INT(kind_at(plan, "/run"), HEEL_MOUNT_DIR);
    CHECK_INT(kind_at(plan, "/data/homes/bob"), HEEL_MOUNT_MASK);
    CHECK_INT(kind_at(plan, "/var/mail"), HEEL_MOUNT_MASK);
    CHECK_INT(kind_at(plan, "/var/lib/lxd"), HEEL_MOUNT_MASK);
    CHECK_INT(kind_at(plan, "/var/lib/heel"), HEEL_MOUNT_MASK);
    CHECK_INT(kind_at(plan, "/tmp"), HEEL_MOUNT_SCRATCH);
    CHECK_INT(kind_at(plan, "/home/heel"), HEEL_MOUNT_SCRATCH);
    CHECK_STR(plan->paths.home_dir, "/home/heel");
    CHECK_STR(last_at(plan, "/work")->source, "/state/work");
    CHECK(last_at(plan, "/work")->flags & HEEL_MOUNT_OWN);
    CHECK_INT(rights_at(plan, "/data") & HEEL_LANDLOCK_WRITE, 0);
}

static void permissive_writes_everywhere(void)
{
    heel_autoplan struct heel_plan *plan =
        plan_of(&(struct request){.level = HEEL_LEVEL_PERMISSIVE});

    CHECK(last_at(plan, "/data")->flags & HEEL_MOUNT_WRITABLE);
    CHECK(last_at(plan, "/home")->flags & HEEL_MOUNT_WRITABLE);
    CHECK(last_at(plan, "/root")->flags & HEEL_MOUNT_WRITABLE);
    CHECK_INT(kind_at(plan, "/data/homes/bob"), -1);
    CHECK_INT(kind_at(plan, "/run"), HEEL_MOUNT_DIR);
    CHECK_INT(kind_at(plan, "/var/lib/lxd"), HEEL_MOUNT_MASK);
    CHECK_INT(kind_at(plan, "/var/lib/heel"), HEEL_MOUNT_MASK);
    CHECK_STR(plan->paths.home_dir, "/heel/home");
}

/* Nothing is mounted before what it lies in, and nothing of it by a later one covered. */
static void parents_come_first(void)
{
    heel_autoplan struct heel_plan *plan = plan_of(&(struct request){.level = HEEL_LEVEL_DEFAULT});

    for (size_t i = 0; i < plan->mount_count; i++)
        for (size_t j = i + 1; j < plan->mount_count; j++)
            if (strcmp(plan->mounts[i].target, plan->mounts[j].target) != 0 &&
                heel_path_is_at_or_below(plan->mounts[i].target, plan->mounts[j].target))
                HEEL_TEST_FAIL("%s would be covered by %s", plan->mounts[i].target,
                               plan->mounts[j].target);
}

/* ---- what is named ---- */

static void named_paths_keep_their_place(void)
{
    heel_autofree char *work = place("project"), *read = place("library"),
                       *file = place("library/file");
    struct request request = {
        .level = HEEL_LEVEL_STRICT,
        .working_dir = work,
        .rules = {{read, HEEL_ACCESS_READ}, {file, HEEL_ACCESS_WRITE}, {read, HEEL_ACCESS_EXECUTE}},
        .rule_count = 3};
    heel_autoplan struct heel_plan *plan = plan_of(&request);
    struct stat status;

    REQUIRE(stat(work, &status) == 0);
    CHECK_STR(plan->paths.working_dir, work);
    CHECK_INT(kind_at(plan, "/work"), -1);
    CHECK_INT(last_at(plan, work)->inode, status.st_ino);
    CHECK_INT(last_at(plan, work)->flags,
              HEEL_MOUNT_NAMED | HEEL_MOUNT_WRITABLE | HEEL_MOUNT_EXECUTABLE);
    CHECK_INT(last_at(plan, read)->flags, HEEL_MOUNT_NAMED | HEEL_MOUNT_EXECUTABLE);
    CHECK_INT(last_at(plan, file)->flags, HEEL_MOUNT_NAMED | HEEL_MOUNT_WRITABLE);
    CHECK_INT(rights_at(plan, file), HEEL_LANDLOCK_READ | HEEL_LANDLOCK_WRITE);
}

static void deny_beats_all(void)
{
    heel_autofree char *outer = place("library"), *inner = place("library/inner"),
                       *deep = place("library/inner/deep");
    struct request request = {.level = HEEL_LEVEL_STRICT,
                              .rules = {{deep, HEEL_ACCESS_WRITE},
                                        {inner, HEEL_ACCESS_DENY},
                                        {outer, HEEL_ACCESS_READ},
                                        {inner, HEEL_ACCESS_READ}},
                              .rule_count = 4};
    heel_autoplan struct heel_plan *plan = plan_of(&request);

    CHECK_INT(kind_at(plan, outer), HEEL_MOUNT_BIND);
    CHECK_INT(kind_at(plan, inner), HEEL_MOUNT_MASK);
    CHECK(last_at(plan, inner)->inode != 0);
    CHECK_INT(kind_at(plan, deep), -1);
    CHECK_INT(rights_at(plan, deep) | rights_at(plan, inner), 0);
    request.working_dir = deep;
    check_refused(&request, HEEL_INVALID_ARGUMENT, "INVALID_FIELD",
                  "spec.filesystem.paths[1].path");
}

/* A link of the system's, which nobody in a sandbox can have made. */
static void links_are_followed_once(void)
{
    struct request request = {.level = HEEL_LEVEL_STRICT,
                              .rules = {{"/usr/bin/sh", HEEL_ACCESS_EXECUTE}},
                              .rule_count = 1};
    heel_autofree char *target = realpath("/usr/bin/sh", NULL);
    heel_autoplan struct heel_plan *plan = plan_of(&request);

    REQUIRE(target && strcmp(target, "/usr/bin/sh") != 0);
    CHECK_INT(kind_at(plan, "/usr/bin/sh"), HEEL_MOUNT_SYMLINK);
    CHECK_INT(kind_at(plan, target), HEEL_MOUNT_BIND);
}

static void no_grant_follows_what_a_sandbox_could_have_planted(void)
{
    static const unsigned grants[] = {HEEL_ACCESS_READ, HEEL_ACCESS_WRITE, HEEL_ACCESS_EXECUTE};
    heel_autofree char *link = place("link"), *below = place("link/below");
    struct request request = {.level = HEEL_LEVEL_STRICT, .rule_count = 1};
    heel_autoplan struct heel_plan *plan = NULL;

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(grants); i++) {
        request.rules[0] = (struct heel_path_rule){link, grants[i]};
        check_refused(&request, HEEL_PERMISSION_DENIED, "PATH_NOT_ACCESSIBLE",
                      "spec.filesystem.paths[0].path");
        request.rules[0].path = below;
        check_refused(&request, HEEL_PERMISSION_DENIED, "PATH_NOT_ACCESSIBLE",
                      "spec.filesystem.paths[0].path");
    }
    request.rules[0] = (struct heel_path_rule){link, HEEL_ACCESS_DENY};
    plan = plan_of(&request);
    request = (struct request){.level = HEEL_LEVEL_STRICT, .working_dir = link};
    check_refused(&request, HEEL_PERMISSION_DENIED, "PATH_NOT_ACCESSIBLE",
                  "spec.filesystem.working_dir");
}

static void check_apart(const struct heel_plan *plan)
{
    for (size_t i = 0; i < plan->mount_count; i++) {
        unsigned both = HEEL_MOUNT_WRITABLE | HEEL_MOUNT_EXECUTABLE;

        if ((plan->mounts[i].flags & both) == both)
            HEEL_TEST_FAIL("%s can be written and executed", plan->mounts[i].target);
    }
    for (size_t i = 0; i < plan->rule_count; i++)
        if ((plan->rules[i].rights & HEEL_LANDLOCK_WRITE_FILE) &&
            (plan->rules[i].rights & HEEL_LANDLOCK_EXECUTE))
            HEEL_TEST_FAIL("the rule on %s lets write and execute", plan->rules[i].path);
}

static void nothing_written_is_executed_where_the_spec_says_so(void)
{
    heel_autofree char *library = place("library"), *home = place("home");
    struct request request = {.level = HEEL_LEVEL_DEFAULT,
                              .working_dir = home,
                              .rules = {{library, HEEL_ACCESS_EXECUTE}},
                              .rule_count = 1,
                              .apart = true};
    heel_autoplan struct heel_plan *plan = plan_of(&request), *own = NULL;
    heel_autobuffer struct heel_buffer bytes = {0};
    heel_autoplan struct heel_plan *decoded = NULL;

    check_apart(plan);
    CHECK(last_at(plan, library)->flags & HEEL_MOUNT_EXECUTABLE);
    heel_plan_encode(plan, &bytes);
    REQUIRE(heel_plan_decode(bytes.data, bytes.length, &decoded, NULL) == 0);
    CHECK(decoded->write_xor_execute);
    request.working_dir = NULL;
    own = plan_of(&request);
    check_apart(own);
    request.rules[1] = (struct heel_path_rule){library, HEEL_ACCESS_WRITE};
    request.rule_count = 2;
    check_refused(&request, HEEL_INVALID_ARGUMENT, "INVALID_FIELD",
                  "spec.filesystem.paths[1].path");
    request = (struct request){.level = HEEL_LEVEL_PERMISSIVE, .apart = true};
    check_refused(&request, HEEL_INVALID_ARGUMENT, "INVALID_FIELD",
                  "spec.filesystem.write_xor_execute");
}

static void forget_secrets(void)
{
    while (facts.secret_count > 0)
        free(facts.secrets[--facts.secret_count].path);
}

static void a_grant_of_a_home_keeps_secrets(void)
{
    heel_autofree char *home = place("home"), *ssh = place("home/.ssh"),
                       *npmrc = place("home/.npmrc"), *key = place("home/.ssh/id");
    heel_autofree char *netrc = place("home/.netrc"), *real_netrc = place("home/dotfiles/netrc"),
                       *absent = place("home/.aws");
    struct request request = {.level = HEEL_LEVEL_DEFAULT,
                              .rules = {{home, HEEL_ACCESS_READ}, {npmrc, HEEL_ACCESS_READ}},
                              .rule_count = 2};
    heel_autoplan struct heel_plan *plan = NULL, *holed = NULL;

    heel_host_facts_add_secret(&facts.secrets, &facts.secret_count, ssh,
                               HEEL_PROTECTED_CREDENTIALS);
    heel_host_facts_add_secret(&facts.secrets, &facts.secret_count, npmrc, HEEL_PROTECTED_PACKAGES);
    heel_host_facts_add_secret(&facts.secrets, &facts.secret_count, netrc,
                               HEEL_PROTECTED_CREDENTIALS);
    heel_host_facts_add_secret(&facts.secrets, &facts.secret_count, absent, HEEL_PROTECTED_CLOUD);
    plan = plan_of(&request);
    CHECK_INT(kind_at(plan, ssh), HEEL_MOUNT_MASK);
    CHECK_INT(kind_at(plan, real_netrc), HEEL_MOUNT_MASK);
    CHECK_INT(kind_at(plan, absent), -1);
    CHECK_INT(kind_at(plan, npmrc), HEEL_MOUNT_BIND);
    request.rules[1].path = key;
    holed = plan_of(&request);
    CHECK_INT(kind_at(holed, ssh), HEEL_MOUNT_SCRATCH);
    CHECK_INT(last_at(holed, ssh)->flags & HEEL_MOUNT_WRITABLE, 0);
    CHECK_INT(kind_at(holed, key), HEEL_MOUNT_BIND);
    CHECK_INT(kind_at(holed, npmrc), HEEL_MOUNT_MASK);
    forget_secrets();
}

/* Where a protected path is hidden anyway a mask of the DENY's own would find the wrong thing. */
static void deny_of_what_is_hidden_already(void)
{
    heel_autofree char *home = place("home"), *ssh = place("home/.ssh"),
                       *key = place("home/.ssh/id");
    struct request request = {.level = HEEL_LEVEL_STRICT,
                              .rules = {{home, HEEL_ACCESS_READ}, {ssh, HEEL_ACCESS_DENY}},
                              .rule_count = 2};
    heel_autoplan struct heel_plan *at = NULL, *below = NULL, *shown = NULL;

    heel_host_facts_add_secret(&facts.secrets, &facts.secret_count, ssh,
                               HEEL_PROTECTED_CREDENTIALS);
    at = plan_of(&request);
    CHECK_INT(kind_at(at, ssh), HEEL_MOUNT_MASK);
    CHECK_INT(last_at(at, ssh)->inode, 0); /* that of the protection */
    request.rules[1].path = key;
    below = plan_of(&request);
    CHECK_INT(kind_at(below, ssh), HEEL_MOUNT_MASK);
    CHECK_INT(kind_at(below, key), -1);
    request.rules[2] = (struct heel_path_rule){ssh, HEEL_ACCESS_READ};
    request.rule_count = 3;
    shown = plan_of(&request);
    CHECK_INT(kind_at(shown, ssh), HEEL_MOUNT_BIND);
    CHECK_INT(kind_at(shown, key), HEEL_MOUNT_MASK);
    CHECK(last_at(shown, key)->inode != 0);
    forget_secrets();
}

static void what_cannot_be_named_is_refused(void)
{
    static const char unreachable[] = "spec.filesystem.paths[0].path";
    heel_autofree char *missing = place("missing"), *through_file = place("library/file/x"),
                       *socket_path = place("socket");
    heel_autofree char *heels_own = place("library/inner"), *huge = heel_xcalloc(1, 1 << 20);
    const struct {
        const char *path;
        enum heel_code code;
        const char *reason;
    } cases[] = {
        {"relative", HEEL_INVALID_ARGUMENT, "INVALID_FIELD"},
        {"", HEEL_INVALID_ARGUMENT, "INVALID_FIELD"},
        {huge, HEEL_INVALID_ARGUMENT, "INVALID_FIELD"},
        {missing, HEEL_INVALID_ARGUMENT, "PATH_NOT_FOUND"},
        {through_file, HEEL_INVALID_ARGUMENT, "PATH_NOT_FOUND"},
        {socket_path, HEEL_INVALID_ARGUMENT, "INVALID_FIELD"},
        {"/", HEEL_INVALID_ARGUMENT, "INVALID_FIELD"},
        {"/..", HEEL_INVALID_ARGUMENT, "INVALID_FIELD"},
        {"/proc/self", HEEL_INVALID_ARGUMENT, "INVALID_FIELD"},
        {"/sys", HEEL_INVALID_ARGUMENT, "INVALID_FIELD"},
        {"/dev/null", HEEL_INVALID_ARGUMENT, "INVALID_FIELD"},
        {"/dev", HEEL_INVALID_ARGUMENT, "INVALID_FIELD"},
        {"/tmp", HEEL_INVALID_ARGUMENT, "INVALID_FIELD"},
        {"/run", HEEL_INVALID_ARGUMENT, "INVALID_FIELD"},
        {heels_own, HEEL_INVALID_ARGUMENT, "INVALID_FIELD"},
    };
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    heel_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memset(huge, '/', (1 << 20) - 1);
    REQUIRE(chdir(base) == 0);
    strcpy(address.sun_path, "socket");
    REQUIRE(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    hidden[1] = heels_own;
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(cases); i++) {
        struct request request = {.rules = {{cases[i].path, HEEL_ACCESS_READ}}, .rule_count = 1};

        check_refused(&request, cases[i].code, cases[i].reason, unreachable);
        request = (struct request){.working_dir = cases[i].path};
        check_refused(&request, cases[i].code, cases[i].reason, "spec.filesystem.working_dir");
    }
    hidden[1] = NULL;
    check_refused(&(struct request){.rules = {{base, 99}}, .rule_count = 1}, HEEL_INVALID_ARGUMENT,
                  "INVALID_FIELD", "spec.filesystem.paths[0].access");
}

/* Root asks for somebody else: that one's rights count, and ours are back afterwards. */
static void the_callers_rights_count(void)
{
    heel_autofree char *closed = place("closed"), *other = place("library");
    struct heel_sandbox_spec spec = {.id = "test",
                                     .level = HEEL_LEVEL_STRICT,
                                     .paths = &(struct heel_path_rule){closed, HEEL_ACCESS_READ},
                                     .path_count = 1,
                                     .caller = {.uid = SANDBOX_UID, .gid = SANDBOX_UID}};
    struct heel_plan_input input = {.spec = &spec,
                                    .facts = &facts,
                                    .work_source = "/state/work",
                                    .uid = SANDBOX_UID,
                                    .gid = SANDBOX_UID};
    heel_autoerror struct heel_error *error = NULL;
    heel_autoplan struct heel_plan *plan = NULL;
    const struct heel_path_rule write = {other, HEEL_ACCESS_WRITE};

    CHECK_INT(heel_plan_make(&input, &plan, &error), -1);
    REQUIRE(error != NULL);
    CHECK_INT(error->code, HEEL_PERMISSION_DENIED);
    if (!error->reason && geteuid() == 0) {
        printf("not tried, as this root has no other users: whose rights count\n");
        return;
    }
    CHECK_STR(error->reason, "PATH_NOT_ACCESSIBLE");
    heel_error_free(heel_steal(error));
    spec.paths = &write;
    CHECK_INT(heel_plan_make(&input, &plan, &error), -1);
    CHECK(error && error->code == HEEL_PERMISSION_DENIED);
    if (geteuid() == 0)
        CHECK_INT(access(closed, R_OK), 0);
}

/* ---- bytes ---- */

static void plans_travel(void)
{
    heel_autofree char *work = place("project");
    heel_autoplan struct heel_plan *plan =
        plan_of(&(struct request){.level = HEEL_LEVEL_DEFAULT, .working_dir = work});
    heel_autoplan struct heel_plan *copy = NULL;
    heel_autobuffer struct heel_buffer bytes = {0}, again = {0}, text = {0};

    heel_plan_encode(plan, &bytes);
    REQUIRE(heel_plan_decode(bytes.data, bytes.length, &copy, NULL) == 0);
    heel_plan_encode(copy, &again);
    CHECK_INT(again.length, bytes.length);
    CHECK(memcmp(again.data, bytes.data, bytes.length) == 0);
    heel_plan_print(plan, &text);
    CHECK(strstr(text.data, "bind \"/usr\" execute optional (level DEFAULT)\n") != NULL);
    for (size_t length = 0; length < bytes.length; length++) {
        heel_autofree char *part = heel_xmalloc(length + 1);
        struct heel_plan *damaged = NULL;

        memcpy(part, bytes.data, length);
        if (heel_plan_decode(part, length, &damaged, NULL) == 0)
            HEEL_TEST_FAIL("%zu of %zu bytes make a plan", length, bytes.length);
        heel_plan_free(damaged);
    }
    for (size_t at = 0; at < bytes.length;
         at++) { /* whatever comes out, nothing is read or written astray */
        struct heel_plan *damaged = NULL;

        bytes.data[at] = (char)(bytes.data[at] ^ 0x80);
        heel_plan_decode(bytes.data, bytes.length, &damaged, NULL);
        heel_plan_free(damaged);
        bytes.data[at] = (char)(bytes.data[at] ^ 0x80);
    }
}

static void paths_compare(void)
{
    CHECK(heel_path_is_at_or_below("/a/b", "/a"));
    CHECK(heel_path_is_at_or_below("/a", "/a"));
    CHECK(heel_path_is_at_or_below("/a", "/"));
    CHECK(!heel_path_is_at_or_below("/ab", "/a"));
    CHECK(!heel_path_is_at_or_below("/", "/a"));
    CHECK(heel_path_compare("/a", "/a/b") < 0);
    CHECK(heel_path_compare("/a/b", "/a-b") < 0);
    CHECK(heel_path_compare("/a-b", "/a/b") > 0);
    CHECK_INT(heel_path_compare("/a", "/a"), 0);
}

int main(void)
{
    char template[] = "/tmp/plan_test.XXXXXX";
    heel_autofree char *closed = NULL;

    REQUIRE(mkdtemp(template));
    REQUIRE(chmod(template, 0755) == 0);
    base = realpath(template, NULL);
    make_up_host();
    make_dir("project");
    make_dir("library");
    make_file("library/file");
    make_dir("library/inner");
    make_dir("library/inner/deep");
    make_dir("home");
    make_dir("home/.ssh");
    make_file("home/.ssh/id");
    make_file("home/.npmrc");
    make_dir("home/dotfiles");
    make_file("home/dotfiles/netrc");
    make_link("home/.netrc", "dotfiles/netrc");
    make_link("link", "library");
    make_dir("closed");
    closed = place("closed");
    REQUIRE(chmod(closed, 0700) == 0);

    strict_shows_the_minimum();
    default_shows_all_but_what_is_protected();
    permissive_writes_everywhere();
    parents_come_first();
    named_paths_keep_their_place();
    deny_beats_all();
    links_are_followed_once();
    no_grant_follows_what_a_sandbox_could_have_planted();
    nothing_written_is_executed_where_the_spec_says_so();
    a_grant_of_a_home_keeps_secrets();
    deny_of_what_is_hidden_already();
    what_cannot_be_named_is_refused();
    the_callers_rights_count();
    plans_travel();
    paths_compare();
    {
        heel_autofree char *command = heel_format("rm -rf '%s'", base);

        CHECK_INT(system(command), 0);
    }
    return heel_test_end();
}
