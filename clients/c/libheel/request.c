#include "clients/c/libheel/request.h"

#include <stddef.h>
#include <string.h>

/* What protoc-c makes of every map<string, string>. */
struct pair_entry {
    ProtobufCMessage base;
    char *key;
    char *value;
};

_Static_assert(sizeof(struct pair_entry) == sizeof(Heel__V1__SandboxSpec__LabelsEntry) &&
                   offsetof(struct pair_entry, value) ==
                       offsetof(Heel__V1__SandboxSpec__LabelsEntry, value),
               "all maps of strings have one layout");

int request_read(void *own, size_t own_size, const void *given, const char *type,
                 struct heel_error **err)
{
    size_t size = 0;

    memset(own, 0, own_size);
    if (!given)
        return 0;
    memcpy(&size, given, sizeof(size));
    if (size < sizeof(size))
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                              "a struct %s must begin with HEEL_INIT(%s)", type, type);
    for (size_t i = own_size; i < size; i++)
        if (((const char *)given)[i])
            return heel_error_set(
                err, HEEL_INVALID_ARGUMENT, NULL,
                "the struct %s sets a member that this libheel, %s, doesn't know: use a newer one",
                type, HEEL_VERSION);
    memcpy(own, given, size < own_size ? size : own_size);
    return 0;
}

int request_check_target(struct heel_target target, struct heel_error **err)
{
    if (target.sandbox_id && target.spec)
        return heel_error_set_field(
            err, "target", "a command runs in a sandbox that exists or in a new one, not in both");
    return 0;
}

char *request_text(const char *text)
{
    return (char *)(uintptr_t)(text ? text : "");
}

Google__Protobuf__Duration *request_duration(struct arena *arena, int64_t milliseconds)
{
    Google__Protobuf__Duration *duration;

    if (!milliseconds)
        return NULL;
    duration = arena_alloc(arena, 1, sizeof(*duration));
    google__protobuf__duration__init(duration);
    duration->seconds = milliseconds / 1000;
    duration->nanos = (int32_t)(milliseconds % 1000) * 1000000;
    return duration;
}

void *request_pairs(struct arena *arena, const ProtobufCMessageDescriptor *entry,
                    const struct heel_pair *pairs, size_t count)
{
    struct pair_entry **entries, *all;

    if (!count)
        return NULL;
    entries = arena_alloc(arena, count, sizeof(struct pair_entry *));
    all = arena_alloc(arena, count, sizeof(*all));
    for (size_t i = 0; i < count; i++) {
        protobuf_c_message_init(entry, &all[i]);
        all[i].key = request_text(pairs[i].name);
        all[i].value = request_text(pairs[i].value);
        entries[i] = &all[i];
    }
    return entries;
}

static void add_switches(struct arena *arena, const struct heel_spec *spec,
                         Heel__V1__Filesystem *message)
{
    Heel__V1__ProtectionSwitch *switches =
        arena_alloc(arena, spec->switch_count, sizeof(*switches));

    message->n_protections = spec->switch_count;
    message->protections =
        arena_alloc(arena, spec->switch_count, sizeof(Heel__V1__ProtectionSwitch *));
    for (size_t i = 0; i < spec->switch_count; i++) {
        const struct heel_protection_switch *given = &spec->switches[i];

        heel__v1__protection_switch__init(&switches[i]);
        switches[i].target_case = given->path ? HEEL__V1__PROTECTION_SWITCH__TARGET_PATH
                                              : HEEL__V1__PROTECTION_SWITCH__TARGET_GROUP;
        if (given->path)
            switches[i].path = request_text(given->path);
        else
            switches[i].group = (Heel__V1__ProtectedGroup)given->group;
        switches[i].on = given->on;
        message->protections[i] = &switches[i];
    }
}

static Heel__V1__Filesystem *filesystem(struct arena *arena, const struct heel_spec *spec)
{
    Heel__V1__Filesystem *message = arena_alloc(arena, 1, sizeof(*message));
    Heel__V1__PathRule *rules = arena_alloc(arena, spec->path_count, sizeof(*rules));

    heel__v1__filesystem__init(message);
    message->working_dir = request_text(spec->working_dir);
    message->keep_working_dir = spec->keep_working_dir;
    message->write_xor_execute = spec->write_xor_execute;
    message->n_paths = spec->path_count;
    message->paths = arena_alloc(arena, spec->path_count, sizeof(Heel__V1__PathRule *));
    for (size_t i = 0; i < spec->path_count; i++) {
        heel__v1__path_rule__init(&rules[i]);
        rules[i].path = request_text(spec->paths[i].path);
        rules[i].access = (Heel__V1__PathAccess)spec->paths[i].access;
        message->paths[i] = &rules[i];
    }
    add_switches(arena, spec, message);
    return message;
}

/* The policy's values are those of enum heel_network; one that is unknown here would be unset on
 * the wire, and that allows more than was asked for one day. */
static int network(struct arena *arena, const struct heel_spec *spec,
                   Heel__V1__NetworkPolicy **policy, struct heel_error **err)
{
    Heel__V1__NetworkPolicy *message;

    if (spec->network == HEEL_NETWORK_UNSET)
        return 0;
    if (spec->network != HEEL_NETWORK_DENY_ALL)
        return heel_error_set_field(err, "spec.network", "%d is no network policy",
                                    (int)spec->network);
    message = arena_alloc(arena, 1, sizeof(*message));
    heel__v1__network_policy__init(message);
    message->policy_case = HEEL__V1__NETWORK_POLICY__POLICY_DENY_ALL;
    message->deny_all = arena_alloc(arena, 1, sizeof(*message->deny_all));
    heel__v1__deny_all__init(message->deny_all);
    *policy = message;
    return 0;
}

/* NULL where none is set. */
static Heel__V1__Limits *limits(struct arena *arena, const struct heel_spec *spec)
{
    Heel__V1__Limits *message;

    if (!spec->wall_time_ms && !spec->max_output_bytes && !spec->memory_bytes &&
        !spec->cpu_time_ms && spec->cpu_share == 0 && !spec->max_processes &&
        !spec->max_file_size_bytes && !spec->max_open_files && !spec->disk_bytes &&
        !spec->disk_inodes)
        return NULL;
    message = arena_alloc(arena, 1, sizeof(*message));
    heel__v1__limits__init(message);
    message->wall_time = request_duration(arena, spec->wall_time_ms);
    message->max_output_bytes = spec->max_output_bytes;
    message->memory_bytes = spec->memory_bytes;
    message->cpu_time = request_duration(arena, spec->cpu_time_ms);
    message->cpu_share = spec->cpu_share;
    message->max_processes = spec->max_processes;
    message->max_file_size_bytes = spec->max_file_size_bytes;
    message->max_open_files = spec->max_open_files;
    message->disk_bytes = spec->disk_bytes;
    message->disk_inodes = spec->disk_inodes;
    return message;
}

static void limits_and_lifetime(struct arena *arena, const struct heel_spec *spec,
                                Heel__V1__SandboxSpec *message)
{
    message->limits = limits(arena, spec);
    if (spec->ttl_ms || spec->idle_ttl_ms) {
        message->lifetime = arena_alloc(arena, 1, sizeof(*message->lifetime));
        heel__v1__lifetime__init(message->lifetime);
        message->lifetime->ttl = request_duration(arena, spec->ttl_ms);
        message->lifetime->idle_ttl = request_duration(arena, spec->idle_ttl_ms);
    }
}

static void add_required(struct arena *arena, const struct heel_spec *spec,
                         Heel__V1__SandboxSpec *message)
{
    message->n_require = spec->required_count;
    message->require = arena_alloc(arena, spec->required_count, sizeof(*message->require));
    for (size_t i = 0; i < spec->required_count; i++)
        message->require[i] = (Heel__V1__Protection)spec->required[i];
}

static Heel__V1__Hardware *hardware(struct arena *arena, const struct heel_spec *spec)
{
    Heel__V1__Hardware *message = arena_alloc(arena, 1, sizeof(*message));

    heel__v1__hardware__init(message);
    message->gpu = spec->gpu;
    message->npu = spec->npu;
    message->all_devices = spec->all_devices;
    return message;
}

static void add_run_as(struct arena *arena, const struct heel_run_as *run_as,
                       Heel__V1__SandboxSpec *message)
{
    if (!run_as)
        return;
    message->run_as = arena_alloc(arena, 1, sizeof(*message->run_as));
    heel__v1__run_as__init(message->run_as);
    message->run_as->uid = run_as->uid;
    message->run_as->gid = run_as->gid;
}

Heel__V1__SandboxSpec *request_spec(struct arena *arena, const struct heel_spec *given,
                                    struct heel_error **err)
{
    Heel__V1__SandboxSpec *message = arena_alloc(arena, 1, sizeof(*message));
    struct heel_spec spec;

    heel__v1__sandbox_spec__init(message);
    if (request_read(&spec, sizeof(spec), given, "heel_spec", err) ||
        network(arena, &spec, &message->network, err))
        return NULL;
    message->level = (Heel__V1__IsolationLevel)spec.level;
    add_required(arena, &spec, message);
    add_run_as(arena, spec.run_as, message);
    if (spec.working_dir || spec.keep_working_dir || spec.path_count || spec.switch_count ||
        spec.write_xor_execute)
        message->filesystem = filesystem(arena, &spec);
    if (spec.gpu || spec.npu || spec.all_devices)
        message->hardware = hardware(arena, &spec);
    limits_and_lifetime(arena, &spec, message);
    if (spec.variable_count) {
        message->environment = arena_alloc(arena, 1, sizeof(*message->environment));
        heel__v1__environment__init(message->environment);
        message->environment->n_variables = spec.variable_count;
        message->environment->variables =
            request_pairs(arena, &heel__v1__environment__variables_entry__descriptor,
                          spec.variables, spec.variable_count);
    }
    message->n_labels = spec.label_count;
    message->labels = request_pairs(arena, &heel__v1__sandbox_spec__labels_entry__descriptor,
                                    spec.labels, spec.label_count);
    return message;
}

static size_t count_arguments(const char *const *argv)
{
    size_t count = 0;

    while (argv && argv[count])
        count++;
    return count;
}

/* What of a command is about its streams. */
static void fill_streams(struct arena *arena, const struct heel_command *command,
                         Heel__V1__Command *message)
{
    if (command->terminal) {
        message->terminal = arena_alloc(arena, 1, sizeof(*message->terminal));
        heel__v1__terminal__init(message->terminal);
        message->terminal->rows = command->terminal->rows;
        message->terminal->columns = command->terminal->columns;
        message->terminal->type = request_text(command->terminal->type);
    }
    if (command->disconnect != HEEL_DISCONNECT_UNSET) {
        message->disconnect_case = HEEL__V1__COMMAND__DISCONNECT_KILL_ON_DISCONNECT;
        message->kill_on_disconnect = command->disconnect == HEEL_DISCONNECT_KILL;
    }
    if (command->ring_bytes || command->when_full) {
        message->output = arena_alloc(arena, 1, sizeof(*message->output));
        heel__v1__output_policy__init(message->output);
        message->output->ring_bytes = command->ring_bytes;
        message->output->when_full = (Heel__V1__WhenFull)command->when_full;
    }
}

Heel__V1__Command *request_command(struct arena *arena, const struct heel_command *given,
                                   struct heel_error **err)
{
    Heel__V1__Command *message = arena_alloc(arena, 1, sizeof(*message));
    struct heel_command command;

    if (request_read(&command, sizeof(command), given, "heel_command", err))
        return NULL;
    heel__v1__command__init(message);
    message->n_argv = count_arguments(command.argv);
    message->argv = arena_alloc(arena, message->n_argv, sizeof(char *));
    for (size_t i = 0; i < message->n_argv; i++)
        message->argv[i] = request_text(command.argv[i]);
    message->working_dir = request_text(command.working_dir);
    message->n_environment = command.variable_count;
    message->environment = request_pairs(arena, &heel__v1__command__environment_entry__descriptor,
                                         command.variables, command.variable_count);
    message->stdin.data = (uint8_t *)(uintptr_t)command.input.data;
    message->stdin.len = command.input.length;
    message->timeout = request_duration(arena, command.timeout_ms);
    message->process_id = request_text(command.process_id);
    fill_streams(arena, &command, message);
    return message;
}
