/* The report on a sandbox's protections, or on those that this host can give: one pure function of
 * the facts below, so that no other place states it. Whoever adds or removes a mechanism changes
 * its row here. */
#ifndef HEEL_BACKENDS_LINUX_REPORT_H
#define HEEL_BACKENDS_LINUX_REPORT_H

#include <stdbool.h>

#include "backends/backend.h"

struct heel_plan;

struct heel_report_facts {
    bool supported; /* this host has all that heel can't do without */
    unsigned landlock_abi;
    bool namespaces;          /* it has its own: user, mount, pid, network, ipc, uts and cgroup */
    bool own_uid;             /* no other process of the host has its uid */
    bool own_quotas;          /* the kernel's per-user-namespace quotas are set for it */
    bool supervises_connects; /* heeld decides on each connect to a Unix socket */
    int supervision_errno;    /* why connects aren't supervised, where it is known; else 0 */
    bool cgroup;              /* it has a cgroup of its own, which holds its limits */
    const struct heel_sandbox_spec *spec; /* borrowed; all zero for what a host can give */
    bool mounts_unknown;                  /* the host's mounts could not be read */
    const struct heel_plan *plan;         /* borrowed; NULL: there is none yet */
};

struct heel_report {
    struct heel_enforcement rows[HEEL_PROTECTION_COUNT]; /* strings are owned */
};

/* Fills `report`, which is to be cleared. */
void heel_report_make(const struct heel_report_facts *facts, struct heel_report *report);
void heel_report_copy(const struct heel_report *from, struct heel_report *to);
void heel_report_clear(struct heel_report *report); /* all zero is fine */

/* Checks that every protection in `required` (bits 1 << enum heel_protection) is ACTIVE. 0, or -1
 * and *err about the first that isn't, with reason PROTECTION_UNAVAILABLE. */
int heel_report_check(const struct heel_report *report, unsigned required, struct heel_error **err);

/* "FILESYSTEM" and so on, as in the contract; static. */
const char *heel_report_protection_name(enum heel_protection protection);

#endif
