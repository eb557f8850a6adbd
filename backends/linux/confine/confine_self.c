#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backends/linux/confine/confine.h"
#include "backends/linux/confine/host.h"
#include "backends/linux/confine/landlock.h"
#include "backends/linux/seccomp/seccomp.h"

#define LAST_POSSIBLE_CAPABILITY 63

/* No user id gives capabilities, and nothing may change that. */
#define SECURE_BITS \
    (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | \
     SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | \
     SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static int drop_bounding_set(struct heel_error **err)
{
    if (prctl(PR_SET_SECUREBITS, SECURE_BITS) < 0)
        return heel_error_set_errno(err, errno, "can't lock the secure bits");
    for (unsigned long capability = 0; capability <= LAST_POSSIBLE_CAPABILITY; capability++)
        if (prctl(PR_CAPBSET_DROP, capability) < 0) {
            if (errno == EINVAL)
                break; /* the kernel knows no more */
            return heel_error_set_errno(err, errno, "can't drop capability %lu", capability);
        }
    return 0;
}

static int drop_capabilities(struct heel_error **err)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
        syscall(SYS_capset, &header, none) < 0)
        return heel_error_set_errno(err, errno, "can't drop the capabilities");
    return 0;
}

int heel_confine_identity(uid_t uid, gid_t gid, struct heel_error **err)
{
    int kept = geteuid() == 0 ? setgroups(0, NULL) : 0; /* containers can forbid it */

    /* An ordinary user lacks the capability to empty the bounding set, and under no_new_privs gains
     * nothing from it. */
    if (geteuid() == 0)
        drop_bounding_set(NULL);
    if (geteuid() == 0 && uid != 0 &&
        (kept || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)))
        return heel_error_set_errno(err, errno, "can't become uid %u", (unsigned)uid);
    if (drop_capabilities(err) < 0)
        return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return heel_error_set_errno(err, errno, "can't set no_new_privs");
    return 0;
}

int heel_confine_bare(int ruleset, bool audited, bool write_xor_execute, struct heel_error **err)
{
    if (heel_landlock_apply(ruleset, audited, err) < 0 || heel_seccomp_load_bare(err) < 0 ||
        (write_xor_execute && heel_seccomp_load_write_xor_execute(err) < 0))
        return -1;
    return heel_seccomp_load(err);
}

/* Supervision is left out where an outer filter has a listener already or the kernel has none; the
 * report says so. */
static int load_filter(struct heel_supervision *made, struct heel_error **err)
{
    heel_autoerror struct heel_error *error = NULL;

    if (heel_landlock_fs_rights(heel_landlock_abi()) & HEEL_LANDLOCK_RESOLVE_UNIX)
        return heel_seccomp_load(err);
    if (heel_seccomp_load_supervising(&made->listener, &made->pass, &error) == 0)
        return 0;
    made->why = error->system_errno;
    return heel_seccomp_load(err);
}

int heel_confine_self(const struct heel_plan *plan, struct heel_supervision *made,
                      struct heel_error **err)
{
    struct heel_supervision none = {.listener = -1};

    if (drop_bounding_set(err) < 0 || drop_capabilities(err) < 0)
        return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return heel_error_set_errno(err, errno, "can't set no_new_privs");
    if (heel_landlock_restrict(plan, err) < 0)
        return -1;
    if (plan->write_xor_execute && heel_seccomp_load_write_xor_execute(err) < 0)
        return -1;
    if (!made)
        return heel_seccomp_load(err);
    *made = none;
    return load_filter(made, err);
}
