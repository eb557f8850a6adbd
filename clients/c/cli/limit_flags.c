/* The flags of what a sandbox may use up. */
#include <stdlib.h>

#include "clients/c/cli/flag_values.h"
#include "clients/c/cli/flags.h"

static int parse_small_count(const char *value, uint32_t *count, struct heel_error **err)
{
    uint64_t number = 0;

    if (cli_parse_count(value, UINT32_MAX, &number, err))
        return -1;
    *count = (uint32_t)number;
    return 0;
}

static int parse_memory(struct cli_options *options, const char *value, struct heel_error **err)
{
    return cli_parse_size(value, &options->memory_bytes, err);
}

static int parse_cpu_time(struct cli_options *options, const char *value, struct heel_error **err)
{
    return cli_parse_duration(value, &options->cpu_time_ms, err);
}

static int parse_cpus(struct cli_options *options, const char *value, struct heel_error **err)
{
    char *end;
    double share = strtod(value, &end);

    if (end == value || *end || !(share > 0))
        return cli_invalid(err, "\"%s\" is no number of processors: write it as in 2 or 1.5",
                           value);
    options->cpu_share = share;
    return 0;
}

static int parse_processes(struct cli_options *options, const char *value, struct heel_error **err)
{
    return parse_small_count(value, &options->max_processes, err);
}

static int parse_file_size(struct cli_options *options, const char *value, struct heel_error **err)
{
    return cli_parse_size(value, &options->max_file_size_bytes, err);
}

static int parse_open_files(struct cli_options *options, const char *value, struct heel_error **err)
{
    return parse_small_count(value, &options->max_open_files, err);
}

static int parse_disk(struct cli_options *options, const char *value, struct heel_error **err)
{
    return cli_parse_size(value, &options->disk_bytes, err);
}

static int parse_inodes(struct cli_options *options, const char *value, struct heel_error **err)
{
    return cli_parse_count(value, UINT64_MAX, &options->disk_inodes, err);
}

const struct cli_flag cli_limit_flags[] = {
    {"max-memory", "SIZE", "the memory of all of it together, its /tmp and shared memory included",
     "--max-memory 512M", .parse = parse_memory},
    {"max-cpu-time", "DURATION", "the processor time of all of it together", "--max-cpu-time 30s",
     .parse = parse_cpu_time},
    {"cpus", "NUMBER", "how many processors' worth of time it may take at once", "--cpus 1.5",
     .parse = parse_cpus},
    {"max-processes", "NUMBER", "processes at one time; threads don't count", "--max-processes 64",
     .parse = parse_processes},
    {"max-file-size", "SIZE", "of any one file that it writes", "--max-file-size 1G",
     .parse = parse_file_size},
    {"max-open-files", "NUMBER", "descriptors of one process", "--max-open-files 256",
     .parse = parse_open_files},
    {"max-disk", "SIZE", "what its own working directory, and its /tmp, may take", "--max-disk 2G",
     .parse = parse_disk},
    {"max-inodes", "NUMBER", "the same in files, directories and links", "--max-inodes 100000",
     .parse = parse_inodes},
    {0},
};
