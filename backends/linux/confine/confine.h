/* What a sandbox's init does to itself once it stands in its new namespaces, with its uid and gid
 * mapped: network, mounts, self. */
#ifndef HEEL_BACKENDS_LINUX_CONFINE_CONFINE_H
#define HEEL_BACKENDS_LINUX_CONFINE_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/linux/plan/plan.h"
#include "backends/linux/seccomp/seccomp.h"

/* As root only, in the launcher, in the host's mount namespace: opens every NAMED source (and, with
 * root's rights, every OWN one) with the caller's file system rights, checks it against the plan,
 * and makes a detached mount of it (idmapped where the caller's uid is not the sandbox's).
 * mount_fds has one entry per mount of the plan, -1 where there is nothing to bring; the caller
 * owns the descriptors. 0, or -1 and *err. */
int heel_confine_open_named(const struct heel_plan *plan, const struct heel_caller *caller,
                            int *mount_fds, struct heel_error **err);

/* Carries out the plan's mounts and makes the result the root; afterwards nothing of the old tree
 * can be reached. Needs CAP_SYS_ADMIN in the user namespace that owns this mount namespace.
 * `mount_fds` as above, or NULL. */
int heel_confine_mounts(const struct heel_plan *plan, const int *mount_fds,
                        struct heel_error **err);

/* The same in two parts; see confine_template.c. The first makes what this mount namespace's copies
 * will share and leaves it as the root; the second, in such a copy, adds what is one sandbox's own.
 * `works` is the host's directory in which the sandboxes' working directories lie, side by side. */
int heel_confine_template(const struct heel_plan *plan, const char *works, struct heel_error **err);
int heel_confine_from_template(const struct heel_plan *plan, const char *works,
                               uint64_t fingerprint, struct heel_error **err);
/* Whether this plan can be carried out in two parts: the caller named nothing. */
bool heel_plan_fits_template(const struct heel_plan *plan, const char *works);
/* A hash of what a template is made from: plans with the same one can share a template. */
uint64_t heel_plan_fingerprint(const struct heel_plan *plan);

/* In the mount namespace of a sandbox that runs: makes this MASK or READ_ONLY of its plan again,
 * unless it is there. Takes the privileges that heel_confine_mounts() takes. */
int heel_confine_again(const struct heel_mount *mount, struct heel_error **err);

/* In a process of its own, which ends with it: enters the sandbox's namespaces and makes a mount of
 * this kind at `target` unless it is there. The exit code. */
int heel_confine_cover(int user, int mounts, uid_t uid, gid_t gid, const struct heel_mount *mount);

/* Brings up lo and sets net.ipv4.ip_unprivileged_port_start=0. Cheap when that is so already (a
 * recycled namespace). Before heel_confine_mounts(), after which /proc/sys is read-only. */
int heel_confine_network(struct heel_error **err);

/* How the connects of a sandbox are supervised. */
struct heel_supervision {
    int listener; /* owned; -1: they are not */
    int why;      /* errno of what prevented it; 0 where Landlock holds Unix sockets anyway */
    struct heel_seccomp_pass pass; /* of its hands */
};

/* No capability in any set, no new privileges, Landlock with every right that the kernel knows and
 * with the plan's rules, the seccomp filter. After it returns, everything that this process forks
 * is confined. With `made` connects are supervised where Landlock can't refuse them (below ABI 9);
 * NULL: they never are. 0, or -1 and *err. */
int heel_confine_self(const struct heel_plan *plan, struct heel_supervision *made,
                      struct heel_error **err);

/* Without namespaces two processes share this work. The holder, which stays outside of the Landlock
 * domain, calls this: as root it becomes this user (0: it stays who it is); then it gives up every
 * capability and sets no_new_privs. */
int heel_confine_identity(uid_t uid, gid_t gid, struct heel_error **err);
/* The nursery, which the holder forks and which starts the commands, calls this: it applies
 * Landlock with heel_landlock_prepare's ruleset, and the seccomp filters. `audited`: see
 * heel_landlock_apply(). */
int heel_confine_bare(int ruleset, bool audited, bool write_xor_execute, struct heel_error **err);

#endif
