#include "backends/linux/messages/reasons.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"

/* Each is one of ErrorReason in proto/heel/v1/error.proto, where its code and metadata stand. */
static const char *const reasons[] = {
    "HOST_UNSUPPORTED",       "IDENTITY_NOT_ALLOWED", "INTERNAL",       "INVALID_FIELD",
    "LIMIT_REACHED",          "PATH_NOT_ACCESSIBLE",  "PATH_NOT_FOUND", "PAUSE_TIMED_OUT",
    "PROTECTION_UNAVAILABLE", "SANDBOX_DELETED",      "SANDBOX_EXISTS", "SETUP_FAILED",
};

const char *heel_reason_find(const char *reason)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(reasons); i++)
        if (strcmp(reasons[i], reason) == 0)
            return reasons[i];
    return NULL;
}
