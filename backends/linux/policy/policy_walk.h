/* The walk along a path inside a sandbox that has not been made, and where it ends. */
#ifndef HEEL_BACKENDS_LINUX_POLICY_POLICY_WALK_H
#define HEEL_BACKENDS_LINUX_POLICY_POLICY_WALK_H

#include "backends/linux/policy/policy.h"

/* What stands at a path inside. */
struct heel_policy_place {
    const struct heel_mount *shown;  /* what brings it; NULL: the host's root, where there is no
                                        mount namespace */
    const struct heel_mount *narrow; /* a mask or read-only mount on it, or NULL */
    struct heel_policy_node node;
    bool own; /* the kernel's for each process or sandbox: what is there can't be told */
};

enum heel_policy_refusal {
    HEEL_POLICY_ALLOWED,
    HEEL_POLICY_MASKED,
    HEEL_POLICY_NOT_SHOWN, /* nothing of the host is there */
    HEEL_POLICY_NOT_THERE, /* on the host */
    HEEL_POLICY_NOT_MADE,  /* in a place of the sandbox's own, which is empty at first */
    HEEL_POLICY_NOT_A_DIRECTORY,
    HEEL_POLICY_LOOP,
    HEEL_POLICY_TOO_FAR, /* there is no telling: the effort was spent on the way */
    HEEL_POLICY_DEVICE,
    HEEL_POLICY_SOCKET,
    HEEL_POLICY_RULE, /* Landlock's */
    HEEL_POLICY_READ_ONLY,
    HEEL_POLICY_NO_EXECUTE,
    HEEL_POLICY_PERMISSIONS,
};

struct heel_policy_walk {
    const struct heel_plan *plan;        /* borrowed */
    const struct heel_policy_host *host; /* borrowed */
    char *path;                          /* owned; where it stands, "" for the root */
    char *rest;                          /* owned; what is still to be walked */
    char *end;                           /* owned; where it was to end, no link of it left out */
    unsigned links;
    struct heel_policy_place place;  /* at path */
    struct heel_policy_place parent; /* at the directory that path lies in */
};

/* Walks to `path`, or to where it can't go on. `walk` is to be cleared in both cases. */
enum heel_policy_refusal heel_policy_walk(struct heel_policy_walk *walk,
                                          const struct heel_plan *plan,
                                          const struct heel_policy_host *host, const char *path);
void heel_policy_walk_clear(struct heel_policy_walk *walk);

bool heel_policy_is_masked(const struct heel_policy_place *place);
/* NOT_THERE, NOT_SHOWN or NOT_MADE. */
enum heel_policy_refusal heel_policy_why_missing(const struct heel_policy_place *place);
/* Which of the bits r, w, x (4, 2, 1) the sandbox has by the file's own permissions. */
unsigned heel_policy_permitted(const struct heel_policy_walk *walk,
                               const struct heel_policy_place *place);

#endif
