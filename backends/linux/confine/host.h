/* What this kernel can do, found out once by trying. */
#ifndef HEEL_BACKENDS_LINUX_CONFINE_HOST_H
#define HEEL_BACKENDS_LINUX_CONFINE_HOST_H

#include "backends/backend.h"
#include "base/text.h"

/* Fills `info` (kernel release, Landlock ABI, seccomp, each namespace and the mounts in it tried
 * for real in a child, the checks for doctor), protections aside: report.h has those. Forks: call
 * it from a process with one thread (the launcher). Never fails: what can't be found out is "not
 * passed". */
void heel_host_probe(enum heel_namespaces namespaces, struct heel_host_info *info);

/* The same, but namespaces and mounts count as passed without being tried: for a caller that makes
 * one sandbox right away, which shows it as well. The kernel is still asked for Landlock and
 * seccomp, and where a sysctl says that namespaces may be refused they are tried after all. */
void heel_host_assume(enum heel_namespaces namespaces, struct heel_host_info *info);
/* Adds the check for cgroups: `why` there are none for sandboxes; NULL: there are. */
#define HEEL_HOST_CGROUPS "cgroups"
void heel_host_add_cgroups(struct heel_host_info *info, const char *why);
/* Whether a check of that name passed. */
#define HEEL_HOST_QUOTAS "inotify quotas"
#define HEEL_HOST_SUPERVISION "supervised connects"
#define HEEL_HOST_AUDIT "audit records"
bool heel_host_passed(const struct heel_host_info *info, const char *check);

void heel_host_info_clear(struct heel_host_info *info);
void heel_host_info_encode(const struct heel_host_info *info, struct heel_buffer *to);
int heel_host_info_decode(const void *data, size_t length, struct heel_host_info *info,
                          struct heel_error **err);

#endif
