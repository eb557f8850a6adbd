/* What is said of a sandbox's protections, or of those that this host can give: one pure function
 * from what is known, so that nothing is said in two places. Whoever adds a mechanism, or takes one
 * away, changes the row here. */
#ifndef HEEL_BACKENDS_LINUX_REPORT_H
#define HEEL_BACKENDS_LINUX_REPORT_H

#include <stdbool.h>

#include "backends/backend.h"

struct heel_plan;

struct heel_report_facts {
    bool supported; /* this host has all that heel can't do without */
    unsigned landlock_abi;
    bool namespaces;          /* of its own: user, mount, pid, network, ipc, uts and cgroup */
    bool own_uid;             /* of the sandbox alone, on the whole host */
    bool own_quotas;          /* of what is counted per user namespace */
    bool supervises_connects; /* to Unix sockets: heeld decides on each */
    int supervision_errno;    /* why not, where it is known; else 0 */
    bool cgroup;              /* of its own, which holds its limits */
    const struct heel_sandbox_spec *spec; /* borrowed; all zero for what a host can give */
    bool mounts_unknown;                  /* where else on the host something is mounted */
    const struct heel_plan *plan;         /* borrowed; NULL: there is none yet */
};

struct heel_report {
    struct heel_enforcement rows[HEEL_PROTECTION_COUNT]; /* strings are owned */
};

/* Fills `report`, which is to be cleared. */
void heel_report_make(const struct heel_report_facts *facts, struct heel_report *report);
void heel_report_copy(const struct heel_report *from, struct heel_report *to);
void heel_report_clear(struct heel_report *report); /* all zero is fine */

/* Whether those of `required` (bits 1 << enum heel_protection) are ACTIVE. 0, or -1 and *err: the
 * first that isn't, with reason PROTECTION_UNAVAILABLE. */
int heel_report_check(const struct heel_report *report, unsigned required, struct heel_error **err);

/* "FILESYSTEM" and so on, as in the contract; static. */
const char *heel_report_protection_name(enum heel_protection protection);

#endif
