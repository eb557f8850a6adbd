#include "backends/linux/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backends/linux/host.h"

#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH 1

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

    return abi > 0 ? (unsigned)abi : 0;
}

static int make_ruleset(unsigned abi, struct heel_error **err)
{
    struct ruleset_attributes attributes = {
        .handled_fs = heel_landlock_fs_rights(abi),
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

static int add_rule(int ruleset, const struct heel_rule *rule, uint64_t handled,
                    struct heel_error **err)
{
    heel_autoclose int fd = open(rule->path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    struct path_beneath beneath = {.allowed = rule->rights & handled, .parent_fd = fd};
    struct stat status;

    if (fd < 0 && errno == ENOENT)
        return 0; /* nothing there, nothing to allow */
    if (fd < 0 || fstat(fd, &status) < 0)
        return heel_error_set_errno(err, errno, "can't open \"%s\" for its Landlock rule",
                                    rule->path);
    if (S_ISLNK(status.st_mode))
        return 0; /* what it leads to has its own rule */
    if (!S_ISDIR(status.st_mode))
        beneath.allowed &= HEEL_LANDLOCK_OF_FILES;
    if (beneath.allowed &&
        syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &beneath, 0U) < 0)
        return heel_error_set_errno(err, errno, "the kernel refused the Landlock rule for \"%s\"",
                                    rule->path);
    return 0;
}

int heel_landlock_restrict(const struct heel_plan *plan, struct heel_error **err)
{
    unsigned abi = heel_landlock_abi();
    heel_autoclose int ruleset = -1;

    if (abi < HEEL_LANDLOCK_ABI_NEEDED)
        return heel_error_set(err, HEEL_FAILED_PRECONDITION, "HOST_UNSUPPORTED",
                              "heel needs Landlock ABI %d (kernel 6.7); this kernel has %u",
                              HEEL_LANDLOCK_ABI_NEEDED, abi);
    ruleset = make_ruleset(abi, err);
    if (ruleset < 0)
        return -1;
    for (size_t i = 0; i < plan->rule_count; i++)
        if (add_rule(ruleset, &plan->rules[i], heel_landlock_fs_rights(abi), err) < 0)
            return -1;
    if (syscall(SYS_landlock_restrict_self, ruleset, 0U) < 0)
        return heel_error_set_errno(err, errno, "the kernel refused to apply Landlock");
    return 0;
}
