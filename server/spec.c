#include "server/spec.h"

#include <limits.h>
#include <string.h>

#include "proto/runtime/wire.h"
#include "server/edge.h"
#include "server/pairs.h"
#include "server/spec_limits.h"

/* protobuf-c has no copy: through the wire and back. */
static ProtobufCMessage *copy(const ProtobufCMessage *message)
{
    heel_autobuffer struct heel_buffer packed = {0};
    size_t size = protobuf_c_message_get_packed_size(message);
    ProtobufCMessage *copied;

    protobuf_c_message_pack(message, (uint8_t *)heel_buffer_reserve(&packed, size));
    copied =
        protobuf_c_message_unpack(message->descriptor, NULL, size, (const uint8_t *)packed.data);
    if (!copied)
        abort();
    return copied;
}

Heel__V1__SandboxSpec *spec_copy(const Heel__V1__SandboxSpec *spec)
{
    return (Heel__V1__SandboxSpec *)copy(&spec->base);
}

Heel__V1__Command *spec_copy_command(const Heel__V1__Command *command)
{
    return (Heel__V1__Command *)copy(&command->base);
}

#define ENSURE(pointer, init) \
    do { \
        if (!(pointer)) { \
            (pointer) = heel_xmalloc(sizeof *(pointer)); \
            init(pointer); \
        } \
    } while (0)

/* The switches that were given keep their places, because errors name them; switches for the other
 * groups are appended.
 */
static void spell_switches_out(Heel__V1__Filesystem *filesystem, Heel__V1__IsolationLevel level)
{
    size_t given = filesystem->n_protections;
    bool named[HEEL_PROTECTED_GROUP_COUNT] = {false};

    for (size_t i = 0; i < given; i++)
        if (filesystem->protections[i]->target_case == HEEL__V1__PROTECTION_SWITCH__TARGET_GROUP)
            named[edge_backend_group(filesystem->protections[i]->group)] = true;
    filesystem->protections =
        heel_xrealloc(filesystem->protections, given + HEEL_PROTECTED_GROUP_COUNT,
                      sizeof *filesystem->protections);
    for (size_t i = 0; i < HEEL_PROTECTED_GROUP_COUNT; i++) {
        Heel__V1__ProtectionSwitch *added = NULL;

        if (named[i])
            continue;
        ENSURE(added, heel__v1__protection_switch__init);
        added->target_case = HEEL__V1__PROTECTION_SWITCH__TARGET_GROUP;
        added->group = edge_protected_group((enum heel_protected_group)i);
        added->on = level != HEEL__V1__ISOLATION_LEVEL__ISOLATION_LEVEL_PERMISSIVE;
        filesystem->protections[filesystem->n_protections++] = added;
    }
}

Heel__V1__SandboxSpec *spec_new_effective(const Heel__V1__SandboxSpec *spec,
                                          Heel__V1__IsolationLevel default_level)
{
    Heel__V1__SandboxSpec unset = HEEL__V1__SANDBOX_SPEC__INIT;
    Heel__V1__SandboxSpec *effective = spec_copy(spec ? spec : &unset);

    if (effective->level == HEEL__V1__ISOLATION_LEVEL__ISOLATION_LEVEL_UNSPECIFIED)
        effective->level = default_level;
    ENSURE(effective->filesystem, heel__v1__filesystem__init);
    ENSURE(effective->network, heel__v1__network_policy__init);
    ENSURE(effective->hardware, heel__v1__hardware__init);
    ENSURE(effective->limits, heel__v1__limits__init);
    ENSURE(effective->environment, heel__v1__environment__init);
    ENSURE(effective->lifetime, heel__v1__lifetime__init);
    if (effective->network->policy_case == HEEL__V1__NETWORK_POLICY__POLICY__NOT_SET) {
        ENSURE(effective->network->deny_all, heel__v1__deny_all__init);
        effective->network->policy_case = HEEL__V1__NETWORK_POLICY__POLICY_DENY_ALL;
    }
    if (effective->limits->max_output_bytes == 0)
        effective->limits->max_output_bytes = SPEC_DEFAULT_OUTPUT_BYTES;
    spell_switches_out(effective->filesystem, effective->level);
    spec_limits_complete(effective->limits);
    return effective;
}

static void append_pairs(struct pairs *pairs, struct heel_buffer *to)
{
    pairs_sort(pairs);
    for (size_t i = 0; i < pairs->count; i++) {
        heel_buffer_append(to, pairs->items[i].key, strlen(pairs->items[i].key) + 1);
        heel_buffer_append(to, pairs->items[i].value, strlen(pairs->items[i].value) + 1);
    }
}

/* The maps are taken out, appended in sorted order, and the rest is packed: protobuf-c packs fields
 * in the order of their numbers. */
void spec_append_canonical(const Heel__V1__SandboxSpec *spec, struct heel_buffer *to)
{
    Heel__V1__Environment environment = HEEL__V1__ENVIRONMENT__INIT;
    Heel__V1__SandboxSpec rest;
    size_t size;

    if (!spec)
        return;
    rest = *spec;
    auto_pairs labels = PAIRS_OF(spec->n_labels, spec->labels);
    append_pairs(&labels, to);
    rest.n_labels = 0;
    heel_buffer_append(to, "", 1);
    if (spec->environment) {
        auto_pairs variables =
            PAIRS_OF(spec->environment->n_variables, spec->environment->variables);
        append_pairs(&variables, to);
        rest.environment = &environment;
    }
    size = heel__v1__sandbox_spec__get_packed_size(&rest);
    heel__v1__sandbox_spec__pack(&rest, (uint8_t *)heel_buffer_reserve(to, size));
    to->length += size;
}

void spec_append_canonical_command(const Heel__V1__Command *command, struct heel_buffer *to)
{
    Heel__V1__Command rest = *command;
    size_t size;

    auto_pairs variables = PAIRS_OF(command->n_environment, command->environment);
    append_pairs(&variables, to);
    rest.n_environment = 0;
    size = heel__v1__command__get_packed_size(&rest);
    heel__v1__command__pack(&rest, (uint8_t *)heel_buffer_reserve(to, size));
    to->length += size;
}

static enum heel_level backend_level(Heel__V1__IsolationLevel level)
{
    switch (level) {
    case HEEL__V1__ISOLATION_LEVEL__ISOLATION_LEVEL_DEFAULT:
        return HEEL_LEVEL_DEFAULT;
    case HEEL__V1__ISOLATION_LEVEL__ISOLATION_LEVEL_PERMISSIVE:
        return HEEL_LEVEL_PERMISSIVE;
    default:
        return HEEL_LEVEL_STRICT;
    }
}

unsigned spec_backend_access(Heel__V1__PathAccess access)
{
    switch (access) {
    case HEEL__V1__PATH_ACCESS__PATH_ACCESS_READ:
        return HEEL_ACCESS_READ;
    case HEEL__V1__PATH_ACCESS__PATH_ACCESS_WRITE:
        return HEEL_ACCESS_WRITE;
    case HEEL__V1__PATH_ACCESS__PATH_ACCESS_EXECUTE:
        return HEEL_ACCESS_EXECUTE;
    default:
        return HEEL_ACCESS_DENY;
    }
}

static struct heel_path_rule *list_paths(const Heel__V1__Filesystem *filesystem)
{
    struct heel_path_rule *list = heel_xcalloc(filesystem->n_paths, sizeof *list);

    for (size_t i = 0; i < filesystem->n_paths; i++)
        list[i] =
            (struct heel_path_rule){.path = filesystem->paths[i]->path,
                                    .access = spec_backend_access(filesystem->paths[i]->access)};
    return list;
}

/* Only switches that change something: a spec without any can share what is made for its level. */
static struct heel_protection_switch *list_switches(const Heel__V1__SandboxSpec *spec,
                                                    size_t *count)
{
    const Heel__V1__Filesystem *filesystem = spec->filesystem;
    bool on = spec->level != HEEL__V1__ISOLATION_LEVEL__ISOLATION_LEVEL_PERMISSIVE;
    struct heel_protection_switch *list = heel_xcalloc(filesystem->n_protections, sizeof *list);

    *count = 0;
    for (size_t i = 0; i < filesystem->n_protections; i++) {
        const Heel__V1__ProtectionSwitch *given = filesystem->protections[i];

        if (given->target_case == HEEL__V1__PROTECTION_SWITCH__TARGET_PATH)
            list[(*count)++] =
                (struct heel_protection_switch){.path = given->path, .on = given->on, .place = i};
        else if (given->on != on)
            list[(*count)++] = (struct heel_protection_switch){
                .group = edge_backend_group(given->group), .on = given->on, .place = i};
    }
    return list;
}

static unsigned required_bits(const Heel__V1__SandboxSpec *spec)
{
    unsigned bits = 0;

    for (size_t i = 0; i < spec->n_require; i++)
        bits |= 1U << edge_backend_protection(spec->require[i]);
    return bits;
}

static unsigned backend_hardware(const Heel__V1__Hardware *hardware)
{
    return (hardware->gpu ? HEEL_HARDWARE_GPU : 0U) | (hardware->npu ? HEEL_HARDWARE_NPU : 0U) |
           (hardware->all_devices ? HEEL_HARDWARE_ALL : 0U);
}

static struct heel_run_as run_as(const Heel__V1__RunAs *named)
{
    if (!named)
        return (struct heel_run_as){0};
    return (struct heel_run_as){.given = true, .uid = named->uid, .gid = named->gid};
}

struct heel_sandbox_spec spec_for_backend(const Heel__V1__SandboxSpec *spec,
                                          struct spec_lists *lists)
{
    const Heel__V1__Filesystem *filesystem = spec->filesystem;
    size_t switch_count;

    lists->paths = list_paths(filesystem);
    lists->switches = list_switches(spec, &switch_count);
    return (struct heel_sandbox_spec){
        .level = backend_level(spec->level),
        .working_dir = filesystem->working_dir[0] ? filesystem->working_dir : NULL,
        .keep_working_dir = filesystem->keep_working_dir,
        .write_xor_execute = filesystem->write_xor_execute,
        .hardware = backend_hardware(spec->hardware),
        .paths = lists->paths,
        .path_count = filesystem->n_paths,
        .switches = lists->switches,
        .switch_count = switch_count,
        .required = required_bits(spec),
        .limits = spec_limits_for_backend(spec->limits),
        .run_as = run_as(spec->run_as),
    };
}

void spec_lists_clear(struct spec_lists *lists)
{
    free(lists->paths);
    free(lists->switches);
    *lists = (struct spec_lists){0};
}

int64_t spec_duration_ms(const Google__Protobuf__Duration *duration)
{
    int64_t milliseconds = 0;

    edge_duration_ms(duration, "", &milliseconds, NULL);
    return milliseconds;
}
