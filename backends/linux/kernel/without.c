#include "backends/linux/kernel/without.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define ABI "landlock-abi="

static unsigned left_out; /* bits 1 << enum heel_mechanism */
static unsigned landlock_abi = UINT_MAX;

static const char *const names[] = {
    [HEEL_MECHANISM_USER_NAMESPACES] = "userns",
    [HEEL_MECHANISM_PID_NAMESPACES] = "pidns",
    [HEEL_MECHANISM_SECCOMP] = "seccomp",
    [HEEL_MECHANISM_LISTENER] = "listener",
};

static int leave_out(const char *name)
{
    char *end;

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(names); i++)
        if (strcmp(name, names[i]) == 0) {
            left_out |= 1U << i;
            return 0;
        }
    if (!heel_starts_with(name, ABI) || name[strlen(ABI)] < '0' || name[strlen(ABI)] > '9')
        return -1;
    landlock_abi = (unsigned)strtoul(name + strlen(ABI), &end, 10);
    return *end ? -1 : 0;
}

int heel_without_set(const char *list, struct heel_error **err)
{
    while (list && *list) {
        size_t length = strcspn(list, ",");
        heel_autofree char *name = heel_format("%.*s", (int)length, list);

        if (leave_out(name) < 0)
            return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                                  "--without: \"%s\" is none of landlock-abi=N, userns, pidns, "
                                  "seccomp, listener",
                                  name);
        list += length + (list[length] == ',');
    }
    return 0;
}

bool heel_is_without(enum heel_mechanism mechanism)
{
    return left_out & (1U << mechanism);
}

unsigned heel_without_landlock_above(unsigned abi)
{
    return abi < landlock_abi ? abi : landlock_abi;
}
