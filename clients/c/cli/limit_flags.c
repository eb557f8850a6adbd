/* The flags of what a sandbox may use up. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/text.h"
#include "clients/c/cli/flags.h"

static int invalid(struct heel_error **err, const char *format, const char *value)
{
    return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL, format, value);
}

/* A whole number more than 0, and what stands behind it. 0 or -1. */
static int parse_digits(const char *text, uint64_t *number, const char **rest)
{
    unsigned long long parsed;
    char *end;

    errno = 0;
    parsed = strtoull(text, &end, 10);
    if (end == text || text[0] < '0' || text[0] > '9' || errno || parsed == 0)
        return -1;
    *number = parsed;
    *rest = end;
    return 0;
}

/* The powers of 1024 that a unit stands for; -1 for what is none. "512M", "512MB" and "512MiB" are
 * the same. */
static int unit_of(const char *text)
{
    static const char letters[] = "KMGT";
    const char *letter = *text ? strchr(letters, *text >= 'a' ? *text - 'a' + 'A' : *text) : NULL;

    if (strcmp(text, "") == 0 || strcmp(text, "B") == 0)
        return 0;
    if (!letter || (text[1] && strcmp(text + 1, "B") != 0 && strcmp(text + 1, "iB") != 0))
        return -1;
    return (int)(letter - letters) + 1;
}

static int parse_size(const char *value, uint64_t *bytes, struct heel_error **err)
{
    const char *rest = "";
    uint64_t number = 0;
    int unit = parse_digits(value, &number, &rest) ? -1 : unit_of(rest);

    if (unit < 0 || number > UINT64_MAX >> (10 * unit))
        return invalid(err, "\"%s\" is no size: write it as in 65536, 512K, 512M or 2G", value);
    *bytes = number << (10 * unit);
    return 0;
}

static int parse_count(const char *value, uint64_t most, uint64_t *count, struct heel_error **err)
{
    const char *rest = "";
    uint64_t number = 0;

    if (parse_digits(value, &number, &rest) || *rest || number > most)
        return invalid(err, "\"%s\" is no number that can be meant here", value);
    *count = number;
    return 0;
}

static int parse_small_count(const char *value, uint32_t *count, struct heel_error **err)
{
    uint64_t number = 0;

    if (parse_count(value, UINT32_MAX, &number, err))
        return -1;
    *count = (uint32_t)number;
    return 0;
}

static int parse_memory(struct cli_options *options, const char *value, struct heel_error **err)
{
    return parse_size(value, &options->memory_bytes, err);
}

static int parse_cpu_time(struct cli_options *options, const char *value, struct heel_error **err)
{
    if (heel_duration_parse(value, &options->cpu_time_ms))
        return invalid(err, "\"%s\" is no duration: write it as in 500ms, 30s, 5m or 1h30m", value);
    return 0;
}

static int parse_cpus(struct cli_options *options, const char *value, struct heel_error **err)
{
    char *end;
    double share = strtod(value, &end);

    if (end == value || *end || !(share > 0))
        return invalid(err, "\"%s\" is no number of processors: write it as in 2 or 1.5", value);
    options->cpu_share = share;
    return 0;
}

static int parse_processes(struct cli_options *options, const char *value, struct heel_error **err)
{
    return parse_small_count(value, &options->max_processes, err);
}

static int parse_file_size(struct cli_options *options, const char *value, struct heel_error **err)
{
    return parse_size(value, &options->max_file_size_bytes, err);
}

static int parse_open_files(struct cli_options *options, const char *value, struct heel_error **err)
{
    return parse_small_count(value, &options->max_open_files, err);
}

static int parse_disk(struct cli_options *options, const char *value, struct heel_error **err)
{
    return parse_size(value, &options->disk_bytes, err);
}

static int parse_inodes(struct cli_options *options, const char *value, struct heel_error **err)
{
    return parse_count(value, UINT64_MAX, &options->disk_inodes, err);
}

const struct cli_flag cli_limit_flags[] = {
    {"max-memory", "SIZE", "the memory of all of it together, its /tmp and shared memory included",
     "--max-memory 512M", parse_memory},
    {"max-cpu-time", "DURATION", "the processor time of all of it together", "--max-cpu-time 30s",
     parse_cpu_time},
    {"cpus", "NUMBER", "how many processors' worth of time it may take at once", "--cpus 1.5",
     parse_cpus},
    {"max-processes", "NUMBER", "processes at one time; threads don't count", "--max-processes 64",
     parse_processes},
    {"max-file-size", "SIZE", "of any one file that it writes", "--max-file-size 1G",
     parse_file_size},
    {"max-open-files", "NUMBER", "descriptors of one process", "--max-open-files 256",
     parse_open_files},
    {"max-disk", "SIZE", "what its own working directory, and its /tmp, may take", "--max-disk 2G",
     parse_disk},
    {"max-inodes", "NUMBER", "the same in files, directories and links", "--max-inodes 100000",
     parse_inodes},
    {0},
};
