/* Why Landlock refused what it refused, for people: from what was wanted and what the spec says,
 * without a look at the file system. */
#ifndef HEEL_BACKENDS_LINUX_AUDIT_LANDLOCK_REFUSAL_H
#define HEEL_BACKENDS_LINUX_AUDIT_LANDLOCK_REFUSAL_H

#include "backends/backend.h"

struct heel_landlock_refusal {
    char *rule;   /* owned; a sentence */
    char *remedy; /* owned; "" where nothing would allow it */
};

/* `right` and `target` are an audit record's. `own`: heel's own folders, NULL-terminated; they
 * can't be granted. */
void heel_landlock_refusal_explain(const char *right, const char *target,
                                   const struct heel_sandbox_spec *spec, const char *const *own,
                                   struct heel_landlock_refusal *refusal);
void heel_landlock_refusal_clear(struct heel_landlock_refusal *refusal);

#endif
