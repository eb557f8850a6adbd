#include "backends/linux/origin.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Where the kernel looks for arguments and environment: fields 48 to 51 of /proc/self/stat
 * (proc(5)). */
struct origin {
    uintptr_t argument_start, argument_end, environment_start, environment_end;
};

static struct origin known;

static const char *skip_fields(const char *at, int count)
{
    while (at && count-- > 0) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    return at;
}

static int find_origin(struct origin *origin)
{
    char text[2048];
    heel_autoclose int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    const char *at;

    if (length <= 0)
        return -1;
    text[length] = '\0';
    /* The second field, in parentheses, may hold anything; the third comes two bytes after the last
     * one. */
    at = strrchr(text, ')');
    at = skip_fields(at ? at + 2 : NULL, 45);
    if (!at || sscanf(at, "%lu %lu %lu %lu", &origin->argument_start, &origin->argument_end,
                      &origin->environment_start, &origin->environment_end) != 4)
        return -1;
    return origin->argument_start && origin->argument_start < origin->argument_end ? 0 : -1;
}

static void wipe(uintptr_t from, uintptr_t to)
{
    if (from && from < to)
        memset((void *)from, 0, to - from);
}

void heel_process_rename(const char *name)
{
    size_t room = known.argument_end - known.argument_start;

    prctl(PR_SET_NAME, name);
    if (room < 2)
        return;
    /* The last byte stays NUL: otherwise the kernel reads on into the environment. */
    wipe(known.argument_start, known.argument_end);
    memcpy((void *)known.argument_start, name, strlen(name) < room ? strlen(name) : room - 1);
}

void heel_process_forget_origin(const char *name)
{
    clearenv();
    if (find_origin(&known) == 0)
        wipe(known.environment_start, known.environment_end);
    heel_process_rename(name);
}
