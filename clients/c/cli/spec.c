#include "clients/c/cli/spec.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/c/libheel/raw_terminal.h"

struct heel_spec cli_spec(const struct cli_options *options)
{
    return (struct heel_spec){
        HEEL_INIT(heel_spec),
        .level = options->level,
        .working_dir = options->working_dir,
        .keep_working_dir = options->keep_working_dir.on,
        .write_xor_execute = options->write_xor_execute.on,
        .gpu = options->gpu.on,
        .npu = options->npu.on,
        .all_devices = options->all_devices.on,
        .paths = options->paths,
        .path_count = options->path_count,
        .switches = options->switches,
        .switch_count = options->switch_count,
        .required = options->required,
        .required_count = options->required_count,
        .run_as = options->has_run_as ? &options->run_as : NULL,
        .network = options->network,
        .ttl_ms = options->ttl_ms,
        .idle_ttl_ms = options->idle_ttl_ms,
        .labels = options->labels.items,
        .label_count = options->labels.count,
        .memory_bytes = options->memory_bytes,
        .cpu_time_ms = options->cpu_time_ms,
        .cpu_share = options->cpu_share,
        .max_processes = options->max_processes,
        .max_file_size_bytes = options->max_file_size_bytes,
        .max_open_files = options->max_open_files,
        .disk_bytes = options->disk_bytes,
        .disk_inodes = options->disk_inodes,
        .max_output_bytes = options->max_output_bytes,
    };
}

const char *const *cli_arguments(const struct cli_options *options, int first)
{
    const char *const *arguments = (const char *const *)options->arguments + first;

    return first && strcmp(*arguments, "--") == 0 && arguments[1] ? arguments + 1 : arguments;
}

struct heel_command cli_command(const struct cli_options *options, const char *const *argv)
{
    return (struct heel_command){
        HEEL_INIT(heel_command),
        .argv = argv,
        .working_dir = options->command_dir,
        .variables = options->variables.items,
        .variable_count = options->variables.count,
        .timeout_ms = options->timeout_ms,
        .ring_bytes = options->ring_bytes,
        .when_full = options->when_full,
    };
}

struct heel_terminal cli_terminal(void)
{
    struct heel_terminal terminal = {.type = getenv("TERM")};

    if (terminal.type && !*terminal.type)
        terminal.type = NULL;
    raw_terminal_size(STDOUT_FILENO, &terminal.rows, &terminal.columns);
    return terminal;
}
