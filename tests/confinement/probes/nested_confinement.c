/* Landlock and seccomp applied again only tighten: what was out of reach stays so (OUTSIDE/plain).
 */
#include "tests/confinement/probes/probe.h"

#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

static int landlock_opens(void)
{
    struct landlock_ruleset_attr attributes = {.handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE};
    struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_WRITE_FILE,
                                              .parent_fd = open("/", O_PATH)};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    for (int i = 0; i < 17; i++) {
        int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);

        syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
        if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
            break;
        close(ruleset);
    }
    return open(probe_path("OUTSIDE", "plain"), O_WRONLY) >= 0 ? 0 : errno;
}

static int seccomp_opens(void)
{
    struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
    struct sock_fprog program = {1, &allow};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
        return errno;
    return syscall(425, 4, (char[120]){0}) >= 0 ? 0 : errno;
}

int main(void)
{
    probe_child("17 Landlock layers that allow", landlock_opens);
    probe_child("a filter that allows", seccomp_opens);
    return probe_end();
}
