#include "server/spec_limits.h"

#include <inttypes.h>
#include <limits.h>

#include "base/text.h"
#include "server/edge.h"

#define MEMORY_MIN (8U << 20)
#define CPU_SHARE_MIN 0.01
#define CPU_SHARE_MAX 4096
#define PROCESSES_MAX 4096
#define OPEN_FILES_MIN 16
#define DISK_BYTES_MIN (1U << 20)
#define DISK_INODES_MIN 1024
#define DISK_INODES_DEFAULT (1U << 20)

/* A number of which 0 means no limit. */
struct bound {
    const char *name;
    uint64_t value;
    uint64_t least;
    uint64_t most;
};

static int check_bound(const struct bound *bound, const char *at, struct heel_error **err)
{
    heel_autofree char *field = heel_format("%s.limits.%s", at, bound->name);

    if (bound->value == 0)
        return 0;
    if (bound->value < bound->least)
        return heel_error_set_field(
            err, field, "%s must be at least %" PRIu64 ", or 0 for no limit", field, bound->least);
    if (bound->value > bound->most)
        return heel_error_set_field(err, field, "%s must be at most %" PRIu64, field, bound->most);
    return 0;
}

static int check_cpu_share(double share, const char *at, struct heel_error **err)
{
    heel_autofree char *field = heel_format("%s.limits.cpu_share", at);

    /* Written so that NaN fails. */
    if (share == 0 || (share >= CPU_SHARE_MIN && share <= CPU_SHARE_MAX))
        return 0;
    return heel_error_set_field(err, field, "%s must be a number of processors from %g to %d",
                                field, CPU_SHARE_MIN, CPU_SHARE_MAX);
}

int spec_limits_check(const Heel__V1__Limits *limits, const char *at, struct heel_error **err)
{
    heel_autofree char *cpu_time_field = heel_format("%s.limits.cpu_time", at);
    /* Beyond INT64_MAX file offsets and rlimits end. */
    const struct bound bounds[] = {
        {"memory_bytes", limits->memory_bytes, MEMORY_MIN, INT64_MAX},
        {"max_processes", limits->max_processes, 1, PROCESSES_MAX},
        {"max_file_size_bytes", limits->max_file_size_bytes, 1, INT64_MAX},
        {"max_open_files", limits->max_open_files, OPEN_FILES_MIN, UINT32_MAX},
        {"disk_bytes", limits->disk_bytes, DISK_BYTES_MIN, INT64_MAX},
        {"disk_inodes", limits->disk_inodes, DISK_INODES_MIN, INT64_MAX},
    };
    int64_t ignored;

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(bounds); i++)
        if (check_bound(&bounds[i], at, err) < 0)
            return -1;
    if (check_cpu_share(limits->cpu_share, at, err) < 0)
        return -1;
    return edge_duration_ms(limits->cpu_time, cpu_time_field, &ignored, err);
}

void spec_limits_complete(Heel__V1__Limits *limits)
{
    if (limits->disk_bytes > 0 && limits->disk_inodes == 0)
        limits->disk_inodes = DISK_INODES_DEFAULT;
}

static int64_t microseconds(const Google__Protobuf__Duration *duration)
{
    if (!duration)
        return 0;
    if (duration->seconds > INT64_MAX / 2000000)
        return INT64_MAX;
    return duration->seconds * 1000000 + (duration->nanos + 999) / 1000;
}

struct heel_limits spec_limits_for_backend(const Heel__V1__Limits *limits)
{
    return (struct heel_limits){
        .memory_bytes = limits->memory_bytes,
        .cpu_time_us = microseconds(limits->cpu_time),
        .cpu_share_milli = (uint64_t)(limits->cpu_share * 1000 + 0.5),
        .max_processes = limits->max_processes,
        .max_file_size_bytes = limits->max_file_size_bytes,
        .max_open_files = limits->max_open_files,
        .disk_bytes = limits->disk_bytes,
        .disk_inodes = limits->disk_inodes,
    };
}

/* ---- one that was reached ---- */

/* clang-format off */
static const Heel__V1__Limit names[HEEL_LIMIT_COUNT] = {
    [HEEL_LIMIT_NONE] = HEEL__V1__LIMIT__LIMIT_UNSPECIFIED,
    [HEEL_LIMIT_MEMORY] = HEEL__V1__LIMIT__LIMIT_MEMORY_BYTES,
    [HEEL_LIMIT_CPU_TIME] = HEEL__V1__LIMIT__LIMIT_CPU_TIME,
    [HEEL_LIMIT_PROCESSES] = HEEL__V1__LIMIT__LIMIT_MAX_PROCESSES,
    [HEEL_LIMIT_FILE_SIZE] = HEEL__V1__LIMIT__LIMIT_MAX_FILE_SIZE_BYTES,
    [HEEL_LIMIT_DISK_BYTES] = HEEL__V1__LIMIT__LIMIT_DISK_BYTES,
    [HEEL_LIMIT_DISK_INODES] = HEEL__V1__LIMIT__LIMIT_DISK_INODES,
};
/* clang-format on */

Heel__V1__Limit spec_limits_name(enum heel_limit limit)
{
    return names[limit];
}

Heel__V1__ExitReason spec_limits_reason(enum heel_limit limit)
{
    return limit == HEEL_LIMIT_MEMORY ? HEEL__V1__EXIT_REASON__EXIT_REASON_OOM
                                      : HEEL__V1__EXIT_REASON__EXIT_REASON_LIMIT;
}

/* "512 MiB", or in bytes if that is no whole number of a larger unit. */
static char *format_bytes(uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;

    while (bytes > 0 && bytes % 1024 == 0 && unit + 1 < HEEL_ARRAY_LENGTH(units)) {
        bytes /= 1024;
        unit++;
    }
    return heel_format("%" PRIu64 " %s", bytes, units[unit]);
}

static char *bytes_message(const char *before, uint64_t bytes, const char *after)
{
    heel_autofree char *size = format_bytes(bytes);

    return heel_format("%s %s %s", before, size, after);
}

char *spec_limits_message(enum heel_limit limit, const Heel__V1__Limits *limits)
{
    switch (limit) {
    case HEEL_LIMIT_MEMORY:
        return bytes_message("its sandbox used more than", limits->memory_bytes,
                             "of memory (limits.memory_bytes)");
    case HEEL_LIMIT_CPU_TIME:
        return heel_format("its sandbox used more than %g s of CPU time (limits.cpu_time)",
                           (double)microseconds(limits->cpu_time) / 1e6);
    case HEEL_LIMIT_PROCESSES:
        return heel_format("its sandbox had more than %u processes (limits.max_processes)",
                           limits->max_processes);
    case HEEL_LIMIT_FILE_SIZE:
        return bytes_message("it wrote a file beyond", limits->max_file_size_bytes,
                             "(limits.max_file_size_bytes)");
    case HEEL_LIMIT_DISK_BYTES:
        return bytes_message("its sandbox's files took more than", limits->disk_bytes,
                             "(limits.disk_bytes)");
    case HEEL_LIMIT_DISK_INODES:
        return heel_format("its sandbox had more than %" PRIu64 " files (limits.disk_inodes)",
                           limits->disk_inodes);
    default:
        return heel_xstrdup("");
    }
}
