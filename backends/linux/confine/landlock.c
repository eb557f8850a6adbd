#include "backends/linux/confine/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backends/linux/confine/host.h"
#include "backends/linux/kernel/mount_calls.h"
#include "backends/linux/kernel/without.h"

#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH 1
#define RESTRICT_SELF_LOG_NEW_EXEC_ON (1U << 1)
#define RESTRICT_SELF_LOG_SUBDOMAINS_OFF (1U << 2)
#define ABI_OF_LOG_FLAGS 7

/* struct landlock_ruleset_attr as of ABI 6; an older kernel is told a shorter size. */
struct ruleset_attributes {
    uint64_t handled_fs;
    uint64_t handled_net;
    uint64_t scoped;
};

struct path_beneath {
    uint64_t allowed;
    int32_t parent_fd;
} __attribute__((packed));

unsigned heel_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, CREATE_RULESET_VERSION);

    return heel_without_landlock_above(abi > 0 ? (unsigned)abi : 0);
}

/* Where there is a network namespace it has nothing but lo, and TCP is left alone. */
static int make_ruleset(unsigned abi, bool handle_network, struct heel_error **err)
{
    struct ruleset_attributes attributes = {
        .handled_fs = heel_landlock_fs_rights(abi),
        .handled_net = handle_network ? heel_landlock_net_rights(abi) : 0,
        .scoped = heel_landlock_scopes(abi),
    };
    size_t size = abi >= 6 ? sizeof(attributes) : offsetof(struct ruleset_attributes, scoped);
    long ruleset = syscall(SYS_landlock_create_ruleset, &attributes, size, 0U);

    if (ruleset < 0)
        return heel_error_set(err, HEEL_FAILED_PRECONDITION, "SETUP_FAILED",
                              "the kernel refused a Landlock ruleset (ABI %u, errno %d)", abi,
                              errno);
    return (int)ruleset;
}

static int fail_rule(const struct heel_rule *rule, const char *what, struct heel_error **err)
{
    int why = errno;

    return heel_error_set(err, HEEL_FAILED_PRECONDITION, "SETUP_FAILED",
                          "%s \"%s\" for its Landlock rule: %s", what, rule->path, strerror(why));
}

/* A descriptor of the rule's path; -2: the path is absent, or out of this user's reach, and the
 * rule is left out; -1 and *err. */
static int open_rule(const struct heel_rule *rule, struct stat *status, struct heel_error **err)
{
    heel_autoclose int fd = rule->inode ? heel_openat2(AT_FDCWD, rule->path, O_PATH | O_NOFOLLOW,
                                                       RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
                                        : open(rule->path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    bool named = rule->flags & HEEL_RULE_NAMED;
    bool changed;

    if (fd < 0 && !named && (errno == ENOENT || rule->inode))
        return -2; /* an entry that has gone since, or that this user can't come near */
    if (fd < 0 || fstat(fd, status) < 0)
        return fail_rule(rule, "can't open", err);
    changed = rule->inode && (status->st_ino != rule->inode || status->st_dev != rule->device);
    if (changed && named) {
        errno = ESTALE;
        return fail_rule(rule, "something was swapped meanwhile for", err);
    }
    return changed || S_ISLNK(status->st_mode) ? -2 : heel_steal_fd(&fd);
}

/* Without namespaces nobody is lent another's files: what the caller named must be open to the user
 * that the sandbox runs as. */
static int check_named(const struct heel_rule *rule, int fd, mode_t mode, struct heel_error **err)
{
    int wanted = (rule->rights & HEEL_LANDLOCK_READ_FILE ? R_OK : 0) |
                 (rule->rights & HEEL_LANDLOCK_WRITE_FILE ? W_OK : 0) |
                 (S_ISDIR(mode) && rule->rights ? X_OK : 0);

    if (!(rule->flags & HEEL_RULE_NAMED) || faccessat(fd, "", wanted, AT_EMPTY_PATH) == 0)
        return 0;
    heel_error_set(err, HEEL_PERMISSION_DENIED, "PATH_NOT_ACCESSIBLE",
                   "\"%s\" is not open to uid %u, as which the sandbox runs, and without user "
                   "namespaces it can't be lent: %s",
                   rule->path, (unsigned)getuid(), strerror(errno));
    if (err)
        heel_error_add_metadata(*err, "path", "%s", rule->path);
    return -1;
}

static int add_rule(int ruleset, const struct heel_rule *rule, uint64_t handled,
                    struct heel_error **err)
{
    struct stat status;
    heel_autoclose int fd = open_rule(rule, &status, err);
    struct path_beneath beneath = {.allowed = rule->rights & handled, .parent_fd = fd};

    if (fd < 0)
        return fd == -2 ? 0 : -1;
    if (check_named(rule, fd, status.st_mode, err) < 0)
        return -1;
    if (!S_ISDIR(status.st_mode))
        beneath.allowed &= HEEL_LANDLOCK_OF_FILES;
    if (beneath.allowed &&
        syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &beneath, 0U) < 0)
        return fail_rule(rule, "the kernel refused", err);
    return 0;
}

static int refuse_abi(unsigned abi, struct heel_error **err)
{
    heel_error_set(err, HEEL_FAILED_PRECONDITION, "HOST_UNSUPPORTED",
                   "heel needs Landlock ABI %d (kernel 6.7); this kernel has %u",
                   HEEL_LANDLOCK_ABI_NEEDED, abi);
    if (err) {
        heel_error_add_metadata(*err, "feature", "landlock");
        heel_error_add_metadata(*err, "have", "ABI %u", abi);
        heel_error_add_metadata(*err, "need", "ABI %d", HEEL_LANDLOCK_ABI_NEEDED);
    }
    return -1;
}

int heel_landlock_prepare(const struct heel_plan *plan, struct heel_error **err)
{
    unsigned abi = heel_landlock_abi();
    heel_autoclose int ruleset = -1;

    if (abi < HEEL_LANDLOCK_ABI_NEEDED)
        return refuse_abi(abi, err);
    ruleset = make_ruleset(abi, plan->bare, err);
    if (ruleset < 0)
        return -1;
    for (size_t i = 0; i < plan->rule_count; i++)
        if (add_rule(ruleset, &plan->rules[i], heel_landlock_fs_rights(abi), err) < 0)
            return -1;
    return heel_steal_fd(&ruleset);
}

/* Domains that programs inside make of their own log nothing: they could ask for it, and fill the
 * host's audit log. Without NEW_EXEC_ON nothing is logged after an exec. */
static unsigned log_flags(bool audited)
{
    if (heel_landlock_abi() < ABI_OF_LOG_FLAGS)
        return 0;
    return RESTRICT_SELF_LOG_SUBDOMAINS_OFF | (audited ? RESTRICT_SELF_LOG_NEW_EXEC_ON : 0);
}

int heel_landlock_apply(int ruleset, bool audited, struct heel_error **err)
{
    if (syscall(SYS_landlock_restrict_self, ruleset, log_flags(audited)) < 0)
        return heel_error_set_errno(err, errno, "the kernel refused to apply Landlock");
    return 0;
}

int heel_landlock_restrict(const struct heel_plan *plan, struct heel_error **err)
{
    heel_autoclose int ruleset = heel_landlock_prepare(plan, err);

    return ruleset < 0 ? -1 : heel_landlock_apply(ruleset, plan->audited, err);
}
