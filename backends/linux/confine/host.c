/* Finds out what this kernel gives by doing it: configuration files lie about what a security
 * module, a container or a sandbox around this process will refuse. One child makes all the
 * namespaces and takes each step that a sandbox's init takes. */
#include "backends/linux/confine/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/linux/audit/audit.h"
#include "backends/linux/confine/confine.h"
#include "backends/linux/confine/landlock.h"
#include "backends/linux/kernel/mount_calls.h"
#include "backends/linux/kernel/without.h"
#include "backends/linux/limits/quotas.h"
#include "backends/linux/processes/descendants.h"
#include "backends/linux/seccomp/seccomp.h"

#define ALL_NAMESPACES \
    (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | \
     CLONE_NEWCGROUP)

enum step {
    STEP_NAMESPACES,
    STEP_MOUNT,
    STEP_PROC,
    STEP_DEVPTS,
    STEP_NETWORK,
    STEP_QUOTAS,
    STEP_LANDLOCK,
    STEP_LISTENER,
    STEP_SECCOMP,
    STEP_COUNT,
};

/* errno of each step, 0 where it worked, ECANCELED where it was not reached. */
struct trial {
    int results[STEP_COUNT];
};

/* ---- the child ---- */

static int try_filesystem(const char *type, bool attach)
{
    heel_autoclose int context = heel_fsopen(type);
    heel_autoclose int mount = -1;

    if (context < 0 || heel_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
        return errno;
    mount = heel_fsmount(context, MOUNT_ATTR_NOSUID);
    if (mount < 0 || (attach && heel_move_mount(mount, AT_FDCWD, "/") < 0))
        return errno;
    return 0;
}

/* A rule-less Landlock domain and the real filter: the child has nothing left to open. */
static int errno_of(int result, struct heel_error *error)
{
    int system_errno = error && error->system_errno ? error->system_errno : EINVAL;

    heel_error_free(error);
    return result == 0 ? 0 : system_errno;
}

static int try_mount(void)
{
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? errno
                                                                 : try_filesystem("tmpfs", true);
}

static int try_quotas(void)
{
    struct heel_quotas quotas;

    heel_quotas_read(&quotas);
    return heel_quotas_limit_namespace(&quotas) ? 0 : errno;
}

static void try_steps(struct trial *trial)
{
    const struct heel_plan nothing = {0};
    struct heel_seccomp_pass pass;
    struct heel_error *error = NULL;
    int listener;

    trial->results[STEP_NAMESPACES] = 0;
    trial->results[STEP_NETWORK] = errno_of(heel_confine_network(&error), error);
    trial->results[STEP_QUOTAS] = try_quotas();
    trial->results[STEP_PROC] = try_filesystem("proc", false);
    trial->results[STEP_DEVPTS] = try_filesystem("devpts", false);
    trial->results[STEP_MOUNT] = try_mount();
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    error = NULL;
    trial->results[STEP_LANDLOCK] = errno_of(heel_landlock_restrict(&nothing, &error), error);
    error = NULL;
    trial->results[STEP_LISTENER] =
        errno_of(heel_seccomp_load_supervising(&listener, &pass, &error), error);
    error = NULL;
    /* The supervising filter is in force if it was loaded; the plain one is tried only if it was
     * not. */
    trial->results[STEP_SECCOMP] =
        trial->results[STEP_LISTENER] == 0 ? 0 : errno_of(heel_seccomp_load(&error), error);
}

static _Noreturn void run_child(int go, int report)
{
    struct trial trial;
    char byte;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0; i < STEP_COUNT; i++)
        trial.results[i] = ECANCELED;
    if (read(go, &byte, 1) == 1)
        try_steps(&trial);
    _exit(write(report, &trial, sizeof(trial)) == sizeof(trial) ? 0 : 1);
}

static int map_self(pid_t pid)
{
    const struct {
        const char *file;
        unsigned id;
    } maps[] = {{"setgroups", 0}, {"gid_map", getegid()}, {"uid_map", geteuid()}};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(maps); i++) {
        heel_autofree char *path = heel_format("/proc/%d/%s", pid, maps[i].file);
        heel_autofree char *text =
            i == 0 ? heel_xstrdup("deny") : heel_format("%u %u 1", maps[i].id, maps[i].id);
        heel_autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, text, strlen(text)) < 0)
            return -1;
    }
    return 0;
}

static void read_trial(pid_t pid, int go, int report, struct trial *trial)
{
    struct trial answer;

    if (map_self(pid) < 0) {
        trial->results[STEP_NAMESPACES] = errno;
        kill(pid, SIGKILL);
    } else if (write(go, "x", 1) == 1 && read(report, &answer, sizeof(answer)) == sizeof(answer)) {
        *trial = answer;
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static pid_t clone_all(void)
{
    if (!heel_is_without(HEEL_MECHANISM_USER_NAMESPACES) &&
        !heel_is_without(HEEL_MECHANISM_PID_NAMESPACES))
        return (pid_t)syscall(SYS_clone, ALL_NAMESPACES | SIGCHLD, 0, 0, 0, 0);
    errno = heel_is_without(HEEL_MECHANISM_USER_NAMESPACES) ? EPERM : EINVAL;
    return -1;
}

/* What holds a sandbox where there are no namespaces. A sandbox or a container around this process
 * may let no filter be set. */
static _Noreturn void run_bare_child(int report)
{
    struct trial trial = {0};
    struct heel_error *error = NULL;
    const struct heel_plan nothing = {0};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    trial.results[STEP_LANDLOCK] = errno_of(heel_landlock_restrict(&nothing, &error), error);
    error = NULL;
    trial.results[STEP_SECCOMP] = errno_of(heel_seccomp_load(&error), error);
    _exit(write(report, &trial, sizeof(trial)) == sizeof(trial) ? 0 : 1);
}

static void try_bare(struct trial *trial)
{
    struct trial answer;
    int report[2];
    pid_t pid;

    if (pipe2(report, O_CLOEXEC) < 0)
        return;
    pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        run_bare_child(report[1]);
    close(report[1]);
    if (pid > 0 && read(report[0], &answer, sizeof(answer)) == sizeof(answer)) {
        trial->results[STEP_LANDLOCK] = answer.results[STEP_LANDLOCK];
        trial->results[STEP_SECCOMP] = answer.results[STEP_SECCOMP];
    }
    close(report[0]);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static void try_all(struct trial *trial)
{
    int go[2], report[2];
    pid_t pid;

    for (size_t i = 0; i < STEP_COUNT; i++)
        trial->results[i] = ECANCELED;
    if (pipe2(go, O_CLOEXEC) < 0)
        return;
    if (pipe2(report, O_CLOEXEC) == 0) {
        pid = clone_all();
        if (pid == 0) {
            close(go[1]);
            run_child(go[0], report[1]);
        }
        if (pid < 0)
            trial->results[STEP_NAMESPACES] = errno;
        close(report[1]);
        if (pid > 0)
            read_trial(pid, go[1], report[0], trial);
        close(report[0]);
    }
    close(go[0]);
    close(go[1]);
    if (trial->results[STEP_SECCOMP] == ECANCELED)
        try_bare(trial);
}

/* ---- what it means ---- */

/* The number in a file of /proc/sys, or -1. */
static long read_setting(const char *path)
{
    heel_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[32];
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (length <= 0)
        return -1;
    text[length] = '\0';
    return strtol(text, NULL, 10);
}

static const char *remedy_of_namespaces(void)
{
    if (read_setting("/proc/sys/user/max_user_namespaces") == 0)
        return "user namespaces are switched off: sysctl -w user.max_user_namespaces=15000";
    if (read_setting("/proc/sys/kernel/unprivileged_userns_clone") == 0)
        return "ordinary users may not make user namespaces: sysctl -w "
               "kernel.unprivileged_userns_clone=1";
    return "a container or a security module refuses user namespaces: allow them for heeld there "
           "(in Docker: "
           "--security-opt seccomp=unconfined --security-opt apparmor=unconfined), or run heeld "
           "outside";
}

static const char *remedy_of_mounts(void)
{
    if (read_setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
        return "AppArmor takes the rights from user namespaces (Ubuntu's default): give heeld a "
               "profile with \"userns,\", or sysctl -w "
               "kernel.apparmor_restrict_unprivileged_userns=0";
    return "a security module refuses mounts in user namespaces: allow them for heeld";
}

static struct heel_host_check *add_optional_check(struct heel_host_info *info, const char *name,
                                                  int result, const char *need, const char *remedy)
{
    struct heel_host_check *check;

    info->checks = heel_xrealloc(info->checks, info->check_count + 1, sizeof(*info->checks));
    check = &info->checks[info->check_count++];
    *check = (struct heel_host_check){
        .name = name,
        .passed = result == 0,
        .have = result == 0 ? heel_xstrdup("works")
                            : heel_xstrdup(result == ECANCELED ? "not reached" : strerror(result)),
        .need = need,
        .remedy = result == 0 ? "" : remedy,
    };
    return check;
}

static struct heel_host_check *add_check(struct heel_host_info *info, const char *name, int result,
                                         const char *need, const char *remedy)
{
    struct heel_host_check *check = add_optional_check(info, name, result, need, remedy);

    check->required = true;
    return check;
}

static void check_supervision(struct heel_host_info *info, const struct trial *trial)
{
    if (heel_landlock_fs_rights(info->landlock_abi) & HEEL_LANDLOCK_RESOLVE_UNIX)
        return;
    add_optional_check(
        info, HEEL_HOST_SUPERVISION, trial->results[STEP_LISTENER],
        "a seccomp listener (Linux 5.19)",
        "another supervisor, as containers have, stands above heeld: run it outside");
}

static void check_landlock(struct heel_host_info *info, const struct trial *trial)
{
    bool enough = info->landlock_abi >= HEEL_LANDLOCK_ABI_NEEDED;
    /* If no child got as far as Landlock the ABI alone decides. */
    int result = !enough                                      ? EOPNOTSUPP
                 : trial->results[STEP_LANDLOCK] == ECANCELED ? 0
                                                              : trial->results[STEP_LANDLOCK];
    struct heel_host_check *check =
        add_check(info, "Landlock", result, "ABI 4 (Linux 6.7)",
                  info->landlock_abi ? "run Linux 6.7 or newer"
                                     : "run Linux 6.7 or newer with CONFIG_SECURITY_LANDLOCK=y, "
                                       "and with landlock in the lsm= "
                                       "parameter of its command line if it has one");

    free(check->have);
    check->have =
        info->landlock_abi ? heel_format("ABI %u", info->landlock_abi) : heel_xstrdup("none");
}

/* Where Landlock could tell what it refuses. */
static void check_audit(struct heel_host_info *info)
{
    heel_autoclose int audit = -1;
    struct heel_host_check *check;

    if (info->landlock_abi < HEEL_AUDIT_LANDLOCK_ABI)
        return;
    audit = heel_audit_open();
    check = add_optional_check(
        info, HEEL_HOST_AUDIT, audit < 0 ? errno : 0, "root, and the kernel's auditing switched on",
        "refused files are concluded from what programs say; to have them seen switch auditing on "
        "(auditctl -e 1), and start heeld as root after that");
    if (audit >= 0 || errno != ENODATA)
        return;
    free(check->have);
    check->have = heel_xstrdup("switched off");
}

static bool has_seccomp(void)
{
    unsigned action = SECCOMP_RET_KILL_PROCESS;

    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static void add_namespace_checks(struct heel_host_info *info, const int *results)
{
    add_check(info, "user namespaces", results[STEP_NAMESPACES],
              "user, mount, pid, network, ipc, uts and cgroup namespaces", remedy_of_namespaces());
    add_check(info, "mounts", results[STEP_MOUNT], "a tmpfs mounted in a user namespace",
              remedy_of_mounts());
    add_check(
        info, "own /proc", results[STEP_PROC], "a proc mounted in a user namespace",
        "something is mounted over parts of this machine's /proc, as containers do, and the kernel "
        "then allows no new one: run heeld "
        "outside, or with an unmasked /proc (in Docker: --security-opt systempaths=unconfined)");
    add_check(info, "terminals", results[STEP_DEVPTS], "a devpts mounted in a user namespace",
              remedy_of_mounts());
    add_check(info, "own network", results[STEP_NETWORK], "lo brought up in a network namespace",
              remedy_of_mounts());
    add_optional_check(info, HEEL_HOST_QUOTAS, results[STEP_QUOTAS],
                       "a user namespace with a maximum of inotify instances",
                       "something mounts /proc/sys read-only, as containers do: run heeld outside, "
                       "or with a writable one");
}

/* All namespaces or none: one without some of them would protect no more than one without any. */
static void settle_namespaces(struct heel_host_info *info, size_t first,
                              enum heel_namespaces namespaces)
{
    bool passed = true;

    for (size_t i = first; i < info->check_count; i++)
        passed &= info->checks[i].passed || !info->checks[i].required;
    info->namespaces =
        namespaces == HEEL_NAMESPACES_REQUIRE || (namespaces == HEEL_NAMESPACES_AUTO && passed);
    for (size_t i = first; i < info->check_count; i++)
        info->checks[i].required = info->checks[i].required && info->namespaces;
}

static void add_checks(struct heel_host_info *info, const struct trial *trial,
                       enum heel_namespaces namespaces)
{
    const int *results = trial->results;
    int seccomp =
        results[STEP_SECCOMP] == ECANCELED ? (has_seccomp() ? 0 : ENOSYS) : results[STEP_SECCOMP];
    size_t first;

    check_landlock(info, trial);
    add_check(info, "seccomp", seccomp, "filters with SECCOMP_RET_KILL_PROCESS",
              "run a kernel with CONFIG_SECCOMP_FILTER=y, and let no container refuse seccomp(); "
              "inside a sandbox of heel's there can be no other");
    first = info->check_count;
    add_namespace_checks(info, results);
    settle_namespaces(info, first, namespaces);
    check_supervision(info, trial);
    check_audit(info);
    if (!info->namespaces)
        add_check(info, "list of children", heel_descendants_supported() ? 0 : ENOENT,
                  "/proc/PID/task/TID/children, to find what a sandbox without namespaces runs",
                  "run a kernel with CONFIG_PROC_CHILDREN=y, with /proc mounted");
    info->supported = true;
    for (size_t i = 0; i < info->check_count; i++)
        info->supported &= info->checks[i].passed || !info->checks[i].required;
}

void heel_host_add_cgroups(struct heel_host_info *info, const char *why)
{
    struct heel_host_check *check = add_optional_check(
        info, HEEL_HOST_CGROUPS, why ? EOPNOTSUPP : 0,
        "a cgroup v2 subtree of its own, with memory, pids and cpu",
        "limits are measured instead; to have the kernel hold them run heeld as a systemd service "
        "with Delegate=yes, or by systemd-run --user --scope -p Delegate=yes");

    if (why) {
        free(check->have);
        check->have = heel_xstrdup(why);
    }
}

static void fill(struct heel_host_info *info, const struct trial *trial,
                 enum heel_namespaces namespaces)
{
    struct utsname names;

    *info = (struct heel_host_info){.backend = "linux"};
    if (uname(&names) == 0)
        snprintf(info->kernel_release, sizeof(info->kernel_release), "%.64s", names.release);
    info->landlock_abi = heel_landlock_abi();
    add_checks(info, trial, namespaces);
}

void heel_host_probe(enum heel_namespaces namespaces, struct heel_host_info *info)
{
    struct trial trial;

    try_all(&trial);
    fill(info, &trial, namespaces);
}

/* What nearly every container has: a seccomp filter on this process, or mounts on parts of /proc;
 * and a chroot, where nobody may make user namespaces: nothing mounted on "/". */
static bool is_contained(void)
{
    heel_autofree char *line = NULL;
    size_t capacity = 0;
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    bool covered = false, rooted = false;

    while (mounts && !covered && getline(&line, &capacity, mounts) > 0) {
        covered = strstr(line, " /proc/") && !strstr(line, " /proc/sys/fs/binfmt_misc ");
        rooted = rooted || strstr(line, " / rw") || strstr(line, " / ro");
    }
    if (mounts)
        fclose(mounts);
    return covered || !rooted || prctl(PR_GET_SECCOMP) != 0;
}

/* Whether something hints that namespaces may be refused. No hint proves nothing. */
static bool is_doubtful(void)
{
    return read_setting("/proc/sys/user/max_user_namespaces") == 0 ||
           read_setting("/proc/sys/kernel/unprivileged_userns_clone") == 0 ||
           read_setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1 ||
           is_contained();
}

void heel_host_assume(enum heel_namespaces namespaces, struct heel_host_info *info)
{
    static const struct trial passed;

    if ((namespaces == HEEL_NAMESPACES_AUTO && is_doubtful()) ||
        (namespaces == HEEL_NAMESPACES_NEVER && is_contained()))
        heel_host_probe(namespaces, info);
    else
        fill(info, &passed, namespaces);
}

bool heel_host_passed(const struct heel_host_info *info, const char *check)
{
    for (size_t i = 0; i < info->check_count; i++)
        if (strcmp(info->checks[i].name, check) == 0)
            return info->checks[i].passed;
    return false;
}

void heel_host_info_clear(struct heel_host_info *info)
{
    for (size_t i = 0; i < info->check_count; i++)
        free(info->checks[i].have);
    free(info->checks);
    *info = (struct heel_host_info){0};
}
