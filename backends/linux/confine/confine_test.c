/* Sandboxes for real: each check runs inside one, at each level, as an ordinary user and, where the
 * test has root, as root too. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pty.h>
#include <pwd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/linux/confine/confine_fixture.h"
#include "backends/linux/confine/host.h"
#include "base/test.h"

#define OTHER_USER 61234 /* whom the test becomes when it is root */

static char *base;      /* the test's own directory, world-accessible */
static bool own_mounts; /* this process has a mount namespace of its own */
static char *secrets;   /* hidden as heel's own */
static enum heel_level level;

static char *place(const char *name)
{
    return heel_format("%s/%s", base, name);
}

static int try_open(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0644);

    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static void check_open(const char *path, int flags, int expected)
{
    int result = try_open(path, flags);

    if (result != expected)
        HEEL_TEST_FAIL("opening %s with 0x%x: %s, expected %s", path, (unsigned)flags,
                       strerror(result), strerror(expected));
}

static void check_refused(const char *path, int flags)
{
    if (try_open(path, flags) == 0)
        HEEL_TEST_FAIL("%s could be opened with 0x%x", path, (unsigned)flags);
}

/* A program found on PATH; its exit status. */
static void check_command(const char *command)
{
    int status = system(command);

    if (status != 0)
        HEEL_TEST_FAIL("status %d from: %s",
                       WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), command);
}

static unsigned count_entries(const char *path)
{
    DIR *directory = opendir(path);
    unsigned count = 0;

    while (directory && readdir(directory))
        count++;
    if (directory)
        closedir(directory);
    return count;
}

/* ---- inside ---- */

static void check_writing(void)
{
    static const char *const outside[] = {"/new",     "/usr/new",  "/etc/new", "/dev/new",
                                          "/sys/new", "/proc/new", "/run/new", "/home/new"};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(outside) && level != HEEL_LEVEL_PERMISSIVE; i++)
        check_refused(outside[i], O_CREAT | O_WRONLY);
    check_refused("/new", O_CREAT | O_WRONLY);
    check_open("/work/new", O_CREAT | O_WRONLY, 0);
    check_open("/tmp/new", O_CREAT | O_WRONLY, 0);
    check_open("/var/tmp/new", O_CREAT | O_WRONLY, 0);
    check_open("/dev/shm/new", O_CREAT | O_WRONLY, 0);
    check_open("/dev/null", O_WRONLY, 0);
    CHECK(chmod("/usr", 0777) < 0);
    CHECK(mkdir("/etc/dir", 0755) < 0);
    CHECK(rename("/usr/bin", "/usr/nib") < 0);
    CHECK(mknod("/work/node", S_IFCHR | 0600, 0x103) < 0);
    CHECK(mknod("/work/fifo", S_IFIFO | 0600, 0) == 0);
    CHECK(link("/work/new", "/work/linked") == 0);
    CHECK(rename("/work/new", "/work/renamed") == 0);
    CHECK(symlink("/etc/passwd", "/work/link") == 0);
}

static void check_hiding(const struct heel_plan *plan)
{
    heel_autofree char *shared = place("shared"), *secret = heel_format("%s/secret", secrets);
    struct stat status;

    check_open(shared, O_RDONLY, ENOENT); /* below the host's /tmp */
    check_refused(secret, O_RDONLY);
    check_refused("/root/.bashrc", O_RDONLY);
    check_refused("/etc/shadow", O_RDONLY);
    check_refused("/proc/keys", O_RDONLY);
    CHECK_INT(count_entries("/tmp"), 3); /* ".", ".." and what check_writing() made */
    CHECK_INT(count_entries("/run"), 2);
    CHECK_INT(count_entries(plan->paths.home_dir), 2);
    if (level != HEEL_LEVEL_STRICT) { /* a file of the sandbox's own user, on which only Landlock
                                         stands in the way */
        CHECK_INT(stat("/.mask/0", &status), 0);
        CHECK(status.st_uid == getuid() && (status.st_mode & 0400));
        check_open("/.mask/0", O_RDONLY, EACCES);
    }
    CHECK(stat("/proc/2", &status) == 0);
    CHECK(stat("/proc/300", &status) < 0 || count_entries("/proc") < 400);
}

static bool is_below_any(const char *path, const char *const *list)
{
    for (; *list; list++)
        if (strncmp(path, *list, strlen(*list)) == 0 &&
            (path[strlen(*list)] == '\0' || path[strlen(*list)] == '/'))
            return true;
    return false;
}

static void check_mount(const char *target, const char *options)
{
    static const char *const writable[] = {"/work",      "/tmp",  "/var/tmp", "/dev",
                                           "/home/heel", "/proc", NULL};
    static const char *const devices[] = {"/dev", NULL};
    bool read_only = strncmp(options, "ro,", 3) == 0 && !(strcmp(target, "/proc") == 0);

    if (!read_only && level != HEEL_LEVEL_PERMISSIVE && !is_below_any(target, writable))
        HEEL_TEST_FAIL("%s is mounted %s", target, options);
    if (strcmp(target, "/proc/sys") == 0 && !read_only)
        HEEL_TEST_FAIL("%s is mounted %s", target, options);
    if (!strstr(options, "nosuid") && !is_below_any(target, devices))
        HEEL_TEST_FAIL("%s is mounted %s", target, options);
    if (!strstr(options, "nodev") && !is_below_any(target, devices))
        HEEL_TEST_FAIL("%s is mounted %s", target, options);
}

/* What Landlock and permissions refuse anyway must be refused by the mounts as well, and nothing of
 * the old root may be left. */
static void check_mounts(void)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char line[4096], target[4096], options[256];
    unsigned roots = 0;

    REQUIRE(file != NULL);
    while (fgets(line, sizeof(line), file)) {
        REQUIRE(sscanf(line, "%*d %*d %*s %*s %4095s %255s", target, options) == 2);
        roots += strcmp(target, "/") == 0;
        check_mount(target, options);
    }
    fclose(file);
    CHECK_INT(roots, 1);
}

static void check_devices(void)
{
    static const char *const known[] = {"null", "zero",   "full",   "random", "urandom", "tty",
                                        "fd",   "stdin",  "stdout", "stderr", "ptmx",    "pts",
                                        "shm",  "mqueue", ".",      ".."};
    DIR *directory = opendir("/dev");
    struct dirent *entry;
    char byte = 1;
    int fd, master, slave;

    REQUIRE(directory != NULL);
    while ((entry = readdir(directory))) {
        size_t i = 0;

        while (i < HEEL_ARRAY_LENGTH(known) && strcmp(known[i], entry->d_name) != 0)
            i++;
        if (i == HEEL_ARRAY_LENGTH(known))
            HEEL_TEST_FAIL("/dev/%s is there", entry->d_name);
    }
    closedir(directory);
    fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    CHECK(read(fd, &byte, 1) == 1 && byte == 0);
    close(fd);
    CHECK_INT(openpty(&master, &slave, NULL, NULL, NULL), 0);
    CHECK_INT(count_entries("/dev/pts"), 4);
}

static void check_proc(void)
{
    check_refused("/proc/sys/kernel/hostname", O_WRONLY);
    check_refused("/proc/sys/kernel/core_pattern", O_WRONLY);
    check_refused("/proc/sysrq-trigger", O_WRONLY);
    check_refused("/proc/1/mem", O_RDONLY);
    check_refused("/proc/1/environ", O_RDONLY);
    CHECK(count_entries("/proc/1/root") == 0);
    CHECK(count_entries("/proc/1/fd") == 0);
    check_open("/proc/self/comm", O_WRONLY | O_TRUNC, 0);
    check_open("/proc/self/oom_score_adj", O_WRONLY, 0);
    check_open("/proc/cpuinfo", O_RDONLY, 0);
    check_open("/sys/devices/system/cpu/online", O_RDONLY, 0);
}

static void check_privileges(const struct heel_plan *plan)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct have[2] = {0};
    gid_t groups[64];
    int count = getgroups(64, groups);

    CHECK_INT(getuid(), plan->uid);
    CHECK_INT(getegid(), plan->gid);
    CHECK_INT(syscall(SYS_capget, &header, have), 0);
    CHECK_INT(have[0].permitted | have[0].inheritable | have[1].permitted | have[1].inheritable, 0);
    for (unsigned long capability = 0; capability < 64; capability++)
        CHECK(prctl(PR_CAPBSET_READ, capability) <= 0);
    CHECK_INT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    CHECK_INT(prctl(PR_GET_SECCOMP), 2);
    CHECK(setuid(0) < 0);
    for (int i = 0; i < count; i++)
        CHECK(groups[i] == plan->gid ||
              groups[i] ==
                  65534); /* 65534: one that an ordinary user can't drop, without a name inside */
    CHECK(kill(1, SIGKILL) < 0 || getpid() != 1);
}

static void check_identity(const struct heel_plan *plan)
{
    struct passwd *account = getpwuid(getuid());
    struct group *group = getgrgid(getgid());

    REQUIRE(account != NULL);
    CHECK_STR(account->pw_name, plan->paths.user_name);
    CHECK_STR(account->pw_dir, plan->paths.home_dir);
    CHECK(group != NULL);
}

static void check_network(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
        client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct if_nameindex *interfaces = if_nameindex();

    CHECK(interfaces && strcmp(interfaces[0].if_name, "lo") == 0);
    CHECK_INT(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    CHECK_INT(listen(listener, 1), 0);
    CHECK_INT(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
    close(client);
    client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(0x01010101);
    CHECK(connect(client, (struct sockaddr *)&address, sizeof(address)) < 0 &&
          errno == ENETUNREACH);
    close(client);
    close(listener);
}

static void check_programs(void)
{
    check_command("python3 -c 'import ssl, multiprocessing, os, tempfile\n"
                  "tempfile.TemporaryFile()\nmultiprocessing.Lock()\nos.getlogin if 0 else None\n"
                  "assert multiprocessing.Pool(2).map(abs, [-1]) == [1]'");
    check_command("test \"$(tty </dev/ptmx)\" != x && cp /bin/true /work/true && /work/true && cp "
                  "/bin/true /tmp/true && /tmp/true");
    check_command("sh -c 'echo x > /dev/stdout' | grep -q x");
    if (access("/usr/bin/git", X_OK) == 0)
        check_command("cd /work && git init -q repository && git -C repository -c user.name=x -c "
                      "user.email=x@y commit -q --allow-empty -m x");
    if (access("/usr/bin/gcc", X_OK) == 0)
        check_command(
            "cd /work && echo 'int main(void) { return 0; }' > a.c && gcc -o a a.c && ./a");
    if (access("/usr/bin/script", X_OK) == 0)
        check_command("script -qec true /dev/null > /dev/null");
}

static int inside_level(void *data)
{
    const struct heel_plan *plan = data;

    heel_test_failures = 0; /* the parent's, so far */
    setenv("HOME", plan->paths.home_dir, 1);
    setenv("TMPDIR", "/tmp", 1);
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
    check_writing();
    check_hiding(plan);
    check_mounts();
    check_devices();
    check_proc();
    check_privileges(plan);
    check_identity(plan);
    check_network();
    check_programs();
    return heel_test_end();
}

/* ---- outside ---- */

static struct heel_caller self(void)
{
    return (struct heel_caller){.uid = geteuid(), .gid = getegid()};
}

/* As heeld gives it: its own user's id, or as root one that is nobody's. */
static uid_t sandbox_uid(void)
{
    return geteuid() ? geteuid() : 70000;
}

static void run_inside(struct heel_sandbox_spec *spec, heel_fixture_inside *inside)
{
    heel_autofree char *work = heel_format("%s/work.XXXXXX", base), *command = NULL;
    const char *hidden[] = {secrets, NULL};
    heel_autoplan struct heel_plan *plan = NULL;
    heel_autoerror struct heel_error *error = NULL;
    int result = -1;

    REQUIRE(mkdtemp(work) && chown(work, sandbox_uid(), sandbox_uid()) == 0);
    spec->id = "test";
    spec->caller = self();
    if (heel_fixture_plan(spec, sandbox_uid(), work, hidden, &plan, &error) == 0)
        result = heel_fixture_run(plan, &spec->caller, inside, plan, false, &error);
    if (result < 0)
        HEEL_TEST_FAIL("user %u, level %d: %s", geteuid(), spec->level, error->message);
    else if (result > 0)
        HEEL_TEST_FAIL("user %u, level %d: checks inside failed: %d", geteuid(), spec->level,
                       result);
    command = heel_format("rm -rf '%s'", work);
    CHECK_INT(system(command), 0);
}

static void levels_hold(void)
{
    for (level = HEEL_LEVEL_STRICT; level <= HEEL_LEVEL_PERMISSIVE; level++)
        run_inside(&(struct heel_sandbox_spec){.level = level}, inside_level);
}

static int inside_named(void *data)
{
    const struct heel_plan *plan = data;
    heel_autofree char *readable = place("grants/readable/file"),
                       *writable = place("grants/writable/file");
    heel_autofree char *script = place("grants/executable/script"),
                       *denied = place("grants/readable/denied/file");
    heel_autofree char *narrowed = place("grants/writable/narrowed/file"),
                       *new = place("grants/writable/new");
    heel_autofree char *no_script = place("grants/readable/script"),
                       *through = place("grants/writable/../readable/denied/file");
    struct stat status;

    heel_test_failures = 0;
    CHECK_STR(plan->paths.working_dir, realpath(".", NULL));
    check_open("here", O_CREAT | O_WRONLY, 0);
    CHECK(stat("here", &status) == 0 && status.st_uid == getuid());
    check_open(readable, O_RDONLY, 0);
    check_refused(readable, O_WRONLY);
    check_open(writable, O_RDWR, 0);
    check_open(new, O_CREAT | O_WRONLY, 0);
    check_open(narrowed, O_RDONLY, 0);
    check_refused(narrowed, O_WRONLY);
    check_refused(denied, O_RDONLY);
    check_refused(through, O_RDONLY);
    CHECK_INT(access(script, X_OK), 0);
    check_command(script);
    CHECK(access(no_script, X_OK) < 0);
    CHECK(chmod(readable, 0600) < 0);
    CHECK(utimensat(AT_FDCWD, readable, NULL, 0) < 0);
    return heel_test_end();
}

static void write_script(const char *name)
{
    heel_autofree char *path = place(name);
    FILE *file = fopen(path, "we");

    REQUIRE(file != NULL);
    fputs("#!/bin/sh\nexit 0\n", file);
    REQUIRE(fclose(file) == 0 && chmod(path, 0755) == 0);
}

static void make_grants(void)
{
    heel_autofree char *command =
        heel_format("cd '%s' && rm -rf grants && mkdir -p grants/readable/denied "
                    "grants/writable/narrowed grants/executable grants/work && "
                    "echo x | tee grants/readable/file grants/readable/denied/file "
                    "grants/writable/file grants/writable/narrowed/file > /dev/null",
                    base);

    REQUIRE(system(command) == 0);
    write_script("grants/executable/script");
    write_script("grants/readable/script");
}

static void named_paths_hold(void)
{
    heel_autofree char *work = place("grants/work"), *readable = place("grants/readable"),
                       *writable = place("grants/writable");
    heel_autofree char *narrowed = place("grants/writable/narrowed"),
                       *denied = place("grants/readable/denied");
    heel_autofree char *executable = place("grants/executable"), *made = place("grants/work/here");
    const struct heel_path_rule rules[] = {{denied, HEEL_ACCESS_DENY},
                                           {writable, HEEL_ACCESS_WRITE},
                                           {readable, HEEL_ACCESS_READ},
                                           {narrowed, HEEL_ACCESS_READ},
                                           {executable, HEEL_ACCESS_EXECUTE}};
    struct stat status;

    for (level = HEEL_LEVEL_STRICT; level <= HEEL_LEVEL_PERMISSIVE; level++) {
        make_grants();
        run_inside(&(struct heel_sandbox_spec){.level = level,
                                               .working_dir = work,
                                               .paths = rules,
                                               .path_count = HEEL_ARRAY_LENGTH(rules)},
                   inside_named);
        CHECK(stat(made, &status) == 0 && status.st_uid == geteuid());
    }
}

static int inside_nothing(void *data)
{
    (void)data;
    return 0;
}

/* What a plan was made for must still be there when it is carried out. */
static void swapped_paths_are_refused(void)
{
    heel_autofree char *work = place("grants/work"), *aside = place("grants/aside"),
                       *own = place("own");
    struct heel_sandbox_spec spec = {
        .id = "test", .level = HEEL_LEVEL_STRICT, .working_dir = work, .caller = self()};
    const char *hidden[] = {NULL};
    heel_autoplan struct heel_plan *plan = NULL;
    heel_autoerror struct heel_error *error = NULL;

    make_grants();
    REQUIRE(heel_fixture_plan(&spec, sandbox_uid(), own, hidden, &plan, NULL) == 0);
    CHECK_INT(heel_fixture_run(plan, &spec.caller, inside_nothing, NULL, false, NULL), 0);
    REQUIRE(rename(work, aside) == 0 && mkdir(work, 0755) == 0);
    CHECK_INT(heel_fixture_run(plan, &spec.caller, inside_nothing, NULL, false, &error), -1);
    CHECK(error && error->code == HEEL_FAILED_PRECONDITION);
    heel_error_free(heel_steal(error));
    REQUIRE(rmdir(work) == 0 && symlink("aside", work) == 0);
    CHECK_INT(heel_fixture_run(plan, &spec.caller, inside_nothing, NULL, false, &error), -1);
    CHECK(error && error->code == HEEL_FAILED_PRECONDITION);
    REQUIRE(unlink(work) == 0 && rename(aside, work) == 0);
}

/* One memory for the whole sandbox, and it ends. */
static int inside_scratch(void *data)
{
    static const char *const places[] = {"/tmp", "/var/tmp", "/dev/shm", NULL};
    struct statvfs status;

    (void)data;
    heel_test_failures = 0;
    for (size_t i = 0; places[i]; i++) {
        CHECK_INT(statvfs(places[i], &status), 0);
        CHECK(status.f_blocks * status.f_frsize <= 4ULL << 30 && status.f_blocks > 0);
        CHECK(status.f_files > 0 && status.f_files < 10000000);
    }
    return heel_test_end();
}

static void host_is_probed(void)
{
    struct heel_host_info info, copy;
    heel_autobuffer struct heel_buffer bytes = {0};

    heel_host_probe(HEEL_NAMESPACES_AUTO, &info);
    for (size_t i = 0; i < info.check_count; i++)
        /* Whether the machine audits is its administrator's to say. */
        if (!info.checks[i].passed && strcmp(info.checks[i].name, HEEL_HOST_AUDIT) != 0)
            HEEL_TEST_FAIL("user %u: %s: %s", geteuid(), info.checks[i].name, info.checks[i].have);
    CHECK(info.supported);
    heel_host_info_encode(&info, &bytes);
    REQUIRE(heel_host_info_decode(bytes.data, bytes.length, &copy, NULL) == 0);
    CHECK_INT(copy.check_count, info.check_count);
    CHECK_STR(copy.checks[0].name, "Landlock");
    CHECK_STR(copy.checks[0].have, info.checks[0].have);
    CHECK_STR(copy.checks[0].need, info.checks[0].need);
    CHECK_STR(copy.checks[0].remedy, "");
    CHECK_STR(copy.kernel_release, info.kernel_release);
    heel_host_info_clear(&copy);
    for (size_t length = 0; length < bytes.length; length++)
        CHECK_INT(heel_host_info_decode(bytes.data, length, &copy, NULL), -1);
    heel_host_info_clear(&info);
}

static void run_all(void)
{
    host_is_probed();
    levels_hold();
    named_paths_hold();
    swapped_paths_are_refused();
    run_inside(&(struct heel_sandbox_spec){.level = HEEL_LEVEL_STRICT}, inside_scratch);
}

static void make_base(void)
{
    heel_autofree char *shared = NULL, *secret = NULL;

    free(base);
    free(secrets);
    base = heel_xstrdup("/tmp/confine_test.XXXXXX");
    REQUIRE(mkdtemp(base));
    if (own_mounts)
        REQUIRE(mount("confine_test", base, "tmpfs", 0, NULL) == 0);
    REQUIRE(chmod(base, 0755) == 0);
    shared = place("shared");
    secrets = place("secrets");
    secret = heel_format("%s/secret", secrets);
    REQUIRE(mkdir(secrets, 0755) == 0);
    REQUIRE(try_open(shared, O_CREAT | O_WRONLY) == 0 && try_open(secret, O_CREAT | O_WRONLY) == 0);
}

static void remove_base(void)
{
    heel_autofree char *command = heel_format("rm -rf '%s'", base);

    if (own_mounts)
        CHECK_INT(umount2(base, MNT_DETACH), 0);
    CHECK_INT(system(command), 0);
}

/* Root's files are lent to sandboxes by id-mapped mounts, which the file system of /tmp may not
 * have (overlayfs): tmpfs does. */
static bool make_own_mounts(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* In a child, as root's identity can't be had back. */
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
        make_base();
        run_all();
        remove_base();
        exit(heel_test_end());
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK_INT(status, 0);
}

int main(void)
{
    struct heel_host_info info;
    bool supported;

    heel_host_probe(HEEL_NAMESPACES_AUTO, &info);
    supported = info.supported;
    heel_host_info_clear(&info);
    if (!supported)
        return heel_test_skip("this host can't run sandboxes");
    own_mounts = geteuid() == 0 && make_own_mounts();
    make_base();
    if (chown(base, sandbox_uid(), sandbox_uid()) < 0 || chown(base, geteuid(), getegid()) < 0) {
        remove_base();
        return heel_test_skip("this root has no other users (it is root of a user namespace only)");
    }
    run_all();
    remove_base();
    if (geteuid() == 0)
        run_as_other_user();
    return heel_test_end();
}
