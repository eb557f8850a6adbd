#include "clients/c/libheel/result.h"

#include <string.h>

#include "base/text.h"
#include "proto/runtime/json.h"

void result_free(struct result *result)
{
    protobuf_c_message_free_unpacked(result->response, NULL);
    arena_free(&result->arena);
}

char *result_json(const struct result *result, unsigned indent)
{
    const struct grpcc_json_options options = {.indent = indent};
    struct heel_buffer to = {0};

    grpcc_json_print(result->shown, &options, &to);
    return to.data;
}

static int64_t milliseconds(const Google__Protobuf__Duration *duration)
{
    return duration ? duration->seconds * 1000 + duration->nanos / 1000000 : 0;
}

static int64_t microseconds(const Google__Protobuf__Duration *duration)
{
    return duration ? duration->seconds * 1000000 + duration->nanos / 1000 : 0;
}

int64_t result_time_ms(const Google__Protobuf__Timestamp *timestamp)
{
    return timestamp ? timestamp->seconds * 1000 + timestamp->nanos / 1000000 : 0;
}

static void fill_switches(struct arena *arena, const Heel__V1__Filesystem *message,
                          struct heel_spec *spec)
{
    struct heel_protection_switch *switches =
        arena_alloc(arena, message->n_protections, sizeof(*switches));

    for (size_t i = 0; i < message->n_protections; i++) {
        const Heel__V1__ProtectionSwitch *sent = message->protections[i];

        if (sent->target_case == HEEL__V1__PROTECTION_SWITCH__TARGET_PATH)
            switches[i].path = sent->path;
        else if (sent->target_case == HEEL__V1__PROTECTION_SWITCH__TARGET_GROUP)
            switches[i].group = (enum heel_protected_group)sent->group;
        switches[i].on = sent->on;
    }
    spec->switches = switches;
    spec->switch_count = message->n_protections;
}

static void fill_filesystem(struct arena *arena, const Heel__V1__Filesystem *message,
                            struct heel_spec *spec)
{
    struct heel_path_rule *rules = arena_alloc(arena, message->n_paths, sizeof(*rules));

    for (size_t i = 0; i < message->n_paths; i++) {
        rules[i].path = message->paths[i]->path;
        rules[i].access = (enum heel_access)message->paths[i]->access;
    }
    spec->working_dir = *message->working_dir ? message->working_dir : NULL;
    spec->keep_working_dir = message->keep_working_dir;
    spec->write_xor_execute = message->write_xor_execute;
    spec->paths = rules;
    spec->path_count = message->n_paths;
    fill_switches(arena, message, spec);
}

static void fill_limits(const Heel__V1__Limits *message, struct heel_spec *spec)
{
    spec->wall_time_ms = milliseconds(message->wall_time);
    spec->max_output_bytes = message->max_output_bytes;
    spec->memory_bytes = message->memory_bytes;
    spec->cpu_time_ms = milliseconds(message->cpu_time);
    spec->cpu_share = message->cpu_share;
    spec->max_processes = message->max_processes;
    spec->max_file_size_bytes = message->max_file_size_bytes;
    spec->max_open_files = message->max_open_files;
    spec->disk_bytes = message->disk_bytes;
    spec->disk_inodes = message->disk_inodes;
}

/* Entries of any map<string, string>; see request_pairs. */
#define FILL_PAIRS(arena, entries, entry_count, pairs, pair_count) \
    do { \
        struct heel_pair *filled = arena_alloc(arena, entry_count, sizeof(*filled)); \
        for (size_t i = 0; i < (entry_count); i++) \
            filled[i] = (struct heel_pair){(entries)[i]->key, (entries)[i]->value}; \
        (pairs) = filled; \
        (pair_count) = (entry_count); \
    } while (0)

static void fill_required(struct arena *arena, const Heel__V1__SandboxSpec *message,
                          struct heel_spec *spec)
{
    enum heel_protection *required = arena_alloc(arena, message->n_require, sizeof(*required));

    for (size_t i = 0; i < message->n_require; i++)
        required[i] = (enum heel_protection)message->require[i];
    spec->required = required;
    spec->required_count = message->n_require;
}

static void fill_run_as(struct arena *arena, const Heel__V1__RunAs *message, struct heel_spec *spec)
{
    struct heel_run_as *run_as;

    if (!message)
        return;
    run_as = arena_alloc(arena, 1, sizeof(*run_as));
    *run_as = (struct heel_run_as){.uid = message->uid, .gid = message->gid};
    spec->run_as = run_as;
}

void result_spec(struct arena *arena, const Heel__V1__SandboxSpec *message, struct heel_spec *spec)
{
    spec->size = sizeof(*spec);
    spec->level = (enum heel_level)message->level;
    if (message->filesystem)
        fill_filesystem(arena, message->filesystem, spec);
    if (message->network &&
        message->network->policy_case == HEEL__V1__NETWORK_POLICY__POLICY_DENY_ALL)
        spec->network = HEEL_NETWORK_DENY_ALL;
    if (message->hardware) {
        spec->gpu = message->hardware->gpu;
        spec->npu = message->hardware->npu;
        spec->all_devices = message->hardware->all_devices;
    }
    if (message->limits)
        fill_limits(message->limits, spec);
    if (message->environment)
        FILL_PAIRS(arena, message->environment->variables, message->environment->n_variables,
                   spec->variables, spec->variable_count);
    if (message->lifetime) {
        spec->ttl_ms = milliseconds(message->lifetime->ttl);
        spec->idle_ttl_ms = milliseconds(message->lifetime->idle_ttl);
    }
    FILL_PAIRS(arena, message->labels, message->n_labels, spec->labels, spec->label_count);
    fill_required(arena, message, spec);
    fill_run_as(arena, message->run_as, spec);
}

void result_enforcement(struct arena *arena, Heel__V1__Enforcement *const *messages, size_t count,
                        const struct heel_enforcement **rows)
{
    struct heel_enforcement *filled = arena_alloc(arena, count, sizeof(*filled));

    for (size_t i = 0; i < count; i++) {
        filled[i].protection = (enum heel_protection)messages[i]->protection;
        filled[i].state = (enum heel_enforcement_state)messages[i]->state;
        filled[i].mechanism = messages[i]->mechanism;
        filled[i].detail = messages[i]->detail;
    }
    *rows = filled;
}

void result_sandbox(struct arena *arena, const Heel__V1__Sandbox *message,
                    struct heel_sandbox_info *info)
{
    info->id = message->sandbox_id;
    info->state = (enum heel_sandbox_state)message->state;
    if (message->effective_spec)
        result_spec(arena, message->effective_spec, &info->spec);
    result_enforcement(arena, message->enforcement, message->n_enforcement, &info->enforcement);
    info->enforcement_count = message->n_enforcement;
    info->create_time_ms = result_time_ms(message->create_time);
    info->expire_time_ms = result_time_ms(message->expire_time);
    info->working_dir = message->working_dir;
    info->home_dir = message->home_dir;
    info->temp_dir = message->temp_dir;
    info->host_working_dir = message->host_working_dir;
    info->running_commands = message->running_commands;
}

void result_exit_status(const Heel__V1__ExitStatus *message, struct heel_exit_status *status)
{
    memset(status, 0, sizeof(*status));
    status->message = "";
    if (!message)
        return;
    status->reason = (enum heel_exit_reason)message->reason;
    status->message = message->message;
    status->limit = (enum heel_limit)message->limit;
    status->signaled = message->outcome_case == HEEL__V1__EXIT_STATUS__OUTCOME_SIGNAL;
    if (status->signaled)
        status->signal = message->signal;
    else if (message->outcome_case == HEEL__V1__EXIT_STATUS__OUTCOME_CODE)
        status->code = message->code;
}

static const char *copy_text(struct arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(arena_alloc(arena, size, 1), text, size);
}

void result_acting_files(struct arena *arena, const Heel__V1__ActingFiles *message,
                         struct heel_acting_files *files)
{
    struct heel_acting_file *items;

    *files = (struct heel_acting_files){0};
    if (!message)
        return;
    items = arena_alloc(arena, message->n_files, sizeof(*items));
    for (size_t i = 0; i < message->n_files; i++) {
        items[i].path = copy_text(arena, message->files[i]->path);
        items[i].reason = copy_text(arena, message->files[i]->reason);
    }
    *files = (struct heel_acting_files){items, message->n_files, message->incomplete};
}

void result_denials(struct arena *arena, Heel__V1__Denial *const *messages, size_t count,
                    bool truncated, struct heel_denials *denials)
{
    struct heel_denial *items = arena_alloc(arena, count, sizeof(*items));

    for (size_t i = 0; i < count; i++) {
        items[i].kind = (enum heel_denial_kind)messages[i]->kind;
        items[i].pid = messages[i]->pid;
        items[i].program = copy_text(arena, messages[i]->program);
        items[i].target = copy_text(arena, messages[i]->target);
        items[i].right = copy_text(arena, messages[i]->right);
        items[i].rule = copy_text(arena, messages[i]->rule);
        items[i].remedy = copy_text(arena, messages[i]->remedy);
    }
    *denials = (struct heel_denials){items, count, truncated};
}

void result_usage(const Heel__V1__ResourceUsage *message, struct heel_usage *usage)
{
    memset(usage, 0, sizeof(*usage));
    if (!message)
        return;
    usage->user_time_us = microseconds(message->user_time);
    usage->system_time_us = microseconds(message->system_time);
    usage->wall_time_us = microseconds(message->wall_time);
    usage->max_rss_bytes = message->max_rss_bytes;
}

const char *const *result_strings(struct arena *arena, char *const *strings, size_t count)
{
    const char **copied = arena_alloc(arena, count + 1, sizeof(const char *));

    for (size_t i = 0; i < count; i++)
        copied[i] = strings[i];
    return copied;
}

static struct heel_output_range range_of(const Heel__V1__OutputRange *message)
{
    struct heel_output_range range = {0};

    if (message) {
        range.first = message->first;
        range.end = message->end;
    }
    return range;
}

static const struct heel_terminal *terminal_of(struct arena *arena,
                                               const Heel__V1__Terminal *message)
{
    struct heel_terminal *terminal;

    if (!message)
        return NULL;
    terminal = arena_alloc(arena, 1, sizeof(*terminal));
    terminal->rows = message->rows;
    terminal->columns = message->columns;
    terminal->type = message->type;
    return terminal;
}

void result_process(struct arena *arena, const Heel__V1__Process *message,
                    struct heel_process_info *info)
{
    info->id = message->process_id;
    info->sandbox_id = message->sandbox_id;
    info->state = (enum heel_process_state)message->state;
    info->argv = result_strings(arena, message->argv, message->n_argv);
    info->start_time_ms = result_time_ms(message->start_time);
    info->end_time_ms = result_time_ms(message->end_time);
    result_exit_status(message->status, &info->status);
    result_usage(message->usage, &info->usage);
    info->captured = !message->stdout;
    info->output = range_of(message->stdout);
    info->errors = range_of(message->stderr);
    info->terminal = terminal_of(arena, message->terminal);
    info->readers = message->readers;
    info->kill_on_disconnect = message->kill_on_disconnect;
}
