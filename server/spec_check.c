#include "server/spec_check.h"

#include <limits.h>
#include <string.h>

#include "proto/runtime/wire.h"
#include "server/edge.h"
#include "server/pairs.h"
#include "server/spec_limits.h"

#define MAX_ID 128
#define MAX_SPEC_BYTES (768 * 1024) /* answers repeat it, and stay under 1 MiB */
#define MAX_PATH_RULES 1024
#define MAX_SWITCHES 256
#define MAX_REQUIRED 64
#define MAX_PATH_BYTES (PATH_MAX - 1)
#define MAX_ARGUMENTS 65536
#define MAX_COMMAND_BYTES (1 << 20)
#define MAX_TERMINAL_SIZE 65535
#define MAX_TERMINAL_TYPE 128
#define MIN_RING_BYTES 4096
#define MAX_RING_BYTES (1 << 27)
#define ID_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

int spec_check_id(const char *id, const char *field, struct heel_error **err)
{
    size_t length = strlen(id);

    if (length == 0)
        return heel_error_set_field(err, field, "%s is needed", field);
    if (length > MAX_ID || strspn(id, ID_LETTERS "._-") != length || strspn(id, ID_LETTERS) == 0)
        return heel_error_set_field(err, field,
                                    "%s must have 1 to %d letters, digits or any of \"._-\" and "
                                    "begin with a letter or digit",
                                    field, MAX_ID);
    return 0;
}

/* A field that only a newer server knows might be a restriction: refuse it. */
static int check_known(const ProtobufCMessage *message, const char *at, struct heel_error **err)
{
    heel_autobuffer struct heel_buffer path = {0};
    bool unknown_enum;

    heel_buffer_append_text(&path, at);
    if (!grpcc_message_find_unknown(message, &path, &unknown_enum))
        return 0;
    heel_error_set(err, HEEL_INVALID_ARGUMENT, "UNKNOWN_FIELD",
                   unknown_enum ? "%s has an enum value that this server doesn't know"
                                : "this server doesn't know the field %s",
                   path.data);
    if (err)
        heel_error_set_field_path(*err, path.data);
    return -1;
}

int spec_check_path(const char *path, const char *field, struct heel_error **err)
{
    size_t length = strlen(path);

    if (length > MAX_PATH_BYTES)
        return heel_error_set_field(err, field, "%s has %zu bytes, a path may have %d", field,
                                    length, MAX_PATH_BYTES);
    if (path[0] != '/')
        return heel_error_set_field(err, field, "%s must be an absolute path", field);
    return 0;
}

static int check_rule(const Heel__V1__PathRule *rule, Heel__V1__IsolationLevel level,
                      const char *at, size_t index, struct heel_error **err)
{
    heel_autofree char *path_field = heel_format("%s.filesystem.paths[%zu].path", at, index);
    heel_autofree char *access_field = heel_format("%s.filesystem.paths[%zu].access", at, index);

    if (rule->access == HEEL__V1__PATH_ACCESS__PATH_ACCESS_UNSPECIFIED)
        return heel_error_set_field(err, access_field, "%s must say READ, WRITE, EXECUTE or DENY",
                                    access_field);
    if (level == HEEL__V1__ISOLATION_LEVEL__ISOLATION_LEVEL_PERMISSIVE &&
        rule->access != HEEL__V1__PATH_ACCESS__PATH_ACCESS_DENY)
        return heel_error_set_field(
            err, access_field, "%s grants what PERMISSIVE grants anyway; only DENY applies there",
            access_field);
    return spec_check_path(rule->path, path_field, err);
}

static bool is_same_target(const Heel__V1__ProtectionSwitch *a, const Heel__V1__ProtectionSwitch *b)
{
    if (a->target_case != b->target_case)
        return false;
    return a->target_case == HEEL__V1__PROTECTION_SWITCH__TARGET_GROUP
               ? a->group == b->group
               : strcmp(a->path, b->path) == 0;
}

static int check_switch(const Heel__V1__Filesystem *filesystem, const char *at, size_t index,
                        struct heel_error **err)
{
    const Heel__V1__ProtectionSwitch *given = filesystem->protections[index];
    heel_autofree char *field = heel_format("%s.filesystem.protections[%zu]", at, index);
    heel_autofree char *path_field = heel_format("%s.path", field);

    if (given->target_case == HEEL__V1__PROTECTION_SWITCH__TARGET__NOT_SET ||
        (given->target_case == HEEL__V1__PROTECTION_SWITCH__TARGET_GROUP &&
         given->group == HEEL__V1__PROTECTED_GROUP__PROTECTED_GROUP_UNSPECIFIED))
        return heel_error_set_field(err, field, "%s must name a group or a path", field);
    if (given->target_case == HEEL__V1__PROTECTION_SWITCH__TARGET_PATH &&
        spec_check_path(given->path, path_field, err) < 0)
        return -1;
    for (size_t i = 0; i < index; i++)
        if (is_same_target(filesystem->protections[i], given))
            return heel_error_set_field(
                err, field, "%s names the same group or path as protections[%zu]", field, i);
    return 0;
}

static int check_switches(const Heel__V1__Filesystem *filesystem, const char *at,
                          struct heel_error **err)
{
    heel_autofree char *field = heel_format("%s.filesystem.protections", at);

    if (filesystem->n_protections > MAX_SWITCHES)
        return heel_error_set_field(err, field, "%s has %zu switches, at most %d are allowed",
                                    field, filesystem->n_protections, MAX_SWITCHES);
    for (size_t i = 0; i < filesystem->n_protections; i++)
        if (check_switch(filesystem, at, i, err) < 0)
            return -1;
    return 0;
}

static int check_filesystem(const Heel__V1__Filesystem *filesystem, Heel__V1__IsolationLevel level,
                            const char *at, struct heel_error **err)
{
    heel_autofree char *working_dir_field = heel_format("%s.filesystem.working_dir", at);
    heel_autofree char *keep_field = heel_format("%s.filesystem.keep_working_dir", at);
    heel_autofree char *paths_field = heel_format("%s.filesystem.paths", at);

    if (!filesystem)
        return 0;
    if (filesystem->working_dir[0] &&
        spec_check_path(filesystem->working_dir, working_dir_field, err) < 0)
        return -1;
    if (filesystem->working_dir[0] && filesystem->keep_working_dir)
        return heel_error_set_field(
            err, keep_field,
            "%s goes with a working directory of the sandbox's own, not with working_dir",
            keep_field);
    if (filesystem->n_paths > MAX_PATH_RULES)
        return heel_error_set_field(err, paths_field, "%s has %zu rules, at most %d are allowed",
                                    paths_field, filesystem->n_paths, MAX_PATH_RULES);
    for (size_t i = 0; i < filesystem->n_paths; i++) {
        if (check_rule(filesystem->paths[i], level, at, i, err) < 0)
            return -1;
    }
    return check_switches(filesystem, at, err);
}

static int check_require(const Heel__V1__SandboxSpec *spec, const char *at, struct heel_error **err)
{
    heel_autofree char *all_field = heel_format("%s.require", at);

    if (spec->n_require > MAX_REQUIRED)
        return heel_error_set_field(err, all_field, "%s has %zu entries, at most %d are allowed",
                                    all_field, spec->n_require, MAX_REQUIRED);
    for (size_t i = 0; i < spec->n_require; i++) {
        heel_autofree char *field = heel_format("%s[%zu]", all_field, i);

        if (spec->require[i] == HEEL__V1__PROTECTION__PROTECTION_UNSPECIFIED)
            return heel_error_set_field(err, field, "%s must name a protection", field);
    }
    return 0;
}

static int check_run_as(const Heel__V1__RunAs *named, const char *at, struct heel_error **err)
{
    heel_autofree char *uid_field = heel_format("%s.run_as.uid", at);
    heel_autofree char *gid_field = heel_format("%s.run_as.gid", at);

    if (!named)
        return 0;
    if (named->uid == UINT32_MAX)
        return heel_error_set_field(err, uid_field, "%s must be a uid; 4294967295 is none",
                                    uid_field);
    if (named->gid == UINT32_MAX)
        return heel_error_set_field(err, gid_field, "%s must be a gid; 4294967295 is none",
                                    gid_field);
    if (named->uid == 0 && named->gid != 0)
        return heel_error_set_field(err, gid_field, "%s must be 0 where run_as.uid is 0",
                                    gid_field);
    if (named->uid != 0 && named->gid == 0)
        return heel_error_set_field(
            err, gid_field, "%s must not be 0: root's group goes with root's uid only", gid_field);
    return 0;
}

static int check_limits(const Heel__V1__Limits *limits, const char *at, struct heel_error **err)
{
    heel_autofree char *wall_time_field = heel_format("%s.limits.wall_time", at);
    heel_autofree char *output_field = heel_format("%s.limits.max_output_bytes", at);
    int64_t ignored;

    if (!limits)
        return 0;
    if (limits->max_output_bytes > SPEC_MAX_OUTPUT_BYTES)
        return heel_error_set_field(err, output_field,
                                    "%s must be at most %d; Exec streams output of any size",
                                    output_field, SPEC_MAX_OUTPUT_BYTES);
    if (edge_duration_ms(limits->wall_time, wall_time_field, &ignored, err) < 0)
        return -1;
    return spec_limits_check(limits, at, err);
}

static int check_lifetime(const Heel__V1__Lifetime *lifetime, const char *at,
                          struct heel_error **err)
{
    heel_autofree char *ttl_field = heel_format("%s.lifetime.ttl", at);
    heel_autofree char *idle_field = heel_format("%s.lifetime.idle_ttl", at);
    int64_t ignored;

    if (!lifetime)
        return 0;
    if (edge_duration_ms(lifetime->ttl, ttl_field, &ignored, err) < 0)
        return -1;
    return edge_duration_ms(lifetime->idle_ttl, idle_field, &ignored, err);
}

static int check_spec_maps(const Heel__V1__SandboxSpec *spec, const char *at,
                           struct heel_error **err)
{
    heel_autofree char *labels_field = heel_format("%s.labels", at);
    heel_autofree char *variables_field = heel_format("%s.environment.variables", at);
    auto_pairs labels = PAIRS_OF(spec->n_labels, spec->labels);

    if (pairs_check_labels(&labels, labels_field, err) < 0)
        return -1;
    if (spec->environment) {
        auto_pairs variables =
            PAIRS_OF(spec->environment->n_variables, spec->environment->variables);

        return pairs_check_variables(&variables, variables_field, err);
    }
    return 0;
}

int spec_check(const Heel__V1__SandboxSpec *spec, const char *at, struct heel_error **err)
{
    if (!spec)
        return 0;
    if (heel__v1__sandbox_spec__get_packed_size(spec) > MAX_SPEC_BYTES)
        return heel_error_set_field(err, at, "%s has more than %d bytes", at, MAX_SPEC_BYTES);
    if (check_known(&spec->base, at, err) < 0 ||
        check_filesystem(spec->filesystem, spec->level, at, err) < 0 ||
        check_require(spec, at, err) < 0 || check_run_as(spec->run_as, at, err) < 0 ||
        check_limits(spec->limits, at, err) < 0 || check_lifetime(spec->lifetime, at, err) < 0)
        return -1;
    return check_spec_maps(spec, at, err);
}

static int check_argv(const Heel__V1__Command *command, const char *at, struct heel_error **err)
{
    heel_autofree char *field = heel_format("%s.argv", at);
    size_t bytes = 0;

    if (command->n_argv == 0 || command->argv[0][0] == '\0')
        return heel_error_set_field(err, field, "%s must name a program", field);
    if (command->n_argv > MAX_ARGUMENTS)
        return heel_error_set_field(err, field, "%s has %zu entries, at most %d are allowed", field,
                                    command->n_argv, MAX_ARGUMENTS);
    for (size_t i = 0; i < command->n_argv; i++)
        bytes += strlen(command->argv[i]) + 1;
    if (bytes > MAX_COMMAND_BYTES)
        return heel_error_set_field(err, field, "%s has %zu bytes, at most %d are allowed", field,
                                    bytes, MAX_COMMAND_BYTES);
    return 0;
}

static int check_terminal(const Heel__V1__Terminal *terminal, const char *at,
                          struct heel_error **err)
{
    heel_autofree char *rows_field = heel_format("%s.terminal.rows", at);
    heel_autofree char *columns_field = heel_format("%s.terminal.columns", at);
    heel_autofree char *type_field = heel_format("%s.terminal.type", at);

    if (!terminal)
        return 0;
    if (terminal->rows > MAX_TERMINAL_SIZE)
        return heel_error_set_field(err, rows_field, "%s must be at most %d", rows_field,
                                    MAX_TERMINAL_SIZE);
    if (terminal->columns > MAX_TERMINAL_SIZE)
        return heel_error_set_field(err, columns_field, "%s must be at most %d", columns_field,
                                    MAX_TERMINAL_SIZE);
    if (strlen(terminal->type) > MAX_TERMINAL_TYPE ||
        terminal->type[strspn(terminal->type, ID_LETTERS "+-._")])
        return heel_error_set_field(
            err, type_field, "%s must be the name of a terminfo entry, such as xterm-256color",
            type_field);
    return 0;
}

static int check_output(const Heel__V1__OutputPolicy *output, const char *at,
                        struct heel_error **err)
{
    heel_autofree char *ring_field = heel_format("%s.output.ring_bytes", at);
    heel_autofree char *full_field = heel_format("%s.output.when_full", at);

    if (!output)
        return 0;
    if (output->ring_bytes > 0 &&
        (output->ring_bytes < MIN_RING_BYTES || output->ring_bytes > MAX_RING_BYTES))
        return heel_error_set_field(err, ring_field, "%s must be %d to %d", ring_field,
                                    MIN_RING_BYTES, MAX_RING_BYTES);
    if (output->when_full < HEEL__V1__WHEN_FULL__WHEN_FULL_UNSPECIFIED ||
        output->when_full > HEEL__V1__WHEN_FULL__WHEN_FULL_DROP_OLDEST)
        return heel_error_set_field(err, full_field, "%s must be BLOCK or DROP_OLDEST", full_field);
    return 0;
}

int spec_check_captured_command(const Heel__V1__Command *command, struct heel_error **err)
{
    if (spec_check_command(command, "command", err) < 0)
        return -1;
    if (command->terminal)
        return heel_error_set_field(err, "command.terminal",
                                    "RunCommand captures pipes; use Exec for a terminal");
    if (command->output)
        return heel_error_set_field(err, "command.output",
                                    "RunCommand answers with all output, up to "
                                    "limits.max_output_bytes; only Exec and StartProcess keep it "
                                    "in a ring");
    if (command->disconnect_case == HEEL__V1__COMMAND__DISCONNECT_KILL_ON_DISCONNECT &&
        !command->kill_on_disconnect)
        return heel_error_set_field(err, "command.kill_on_disconnect",
                                    "RunCommand's commands end with their call; use StartProcess "
                                    "for one that lives on");
    return 0;
}

int spec_check_command(const Heel__V1__Command *command, const char *at, struct heel_error **err)
{
    heel_autofree char *directory_field = heel_format("%s.working_dir", at);
    heel_autofree char *timeout_field = heel_format("%s.timeout", at);
    heel_autofree char *environment_field = heel_format("%s.environment", at);
    heel_autofree char *id_field = heel_format("%s.process_id", at);
    int64_t ignored;

    if (!command)
        return heel_error_set_field(err, at, "%s is needed", at);
    if (check_argv(command, at, err) < 0 ||
        edge_duration_ms(command->timeout, timeout_field, &ignored, err) < 0)
        return -1;
    if (command->working_dir[0] && spec_check_path(command->working_dir, directory_field, err) < 0)
        return -1;
    if (command->process_id[0] && spec_check_id(command->process_id, id_field, err) < 0)
        return -1;
    if (check_terminal(command->terminal, at, err) < 0 ||
        check_output(command->output, at, err) < 0)
        return -1;
    auto_pairs variables = PAIRS_OF(command->n_environment, command->environment);
    return pairs_check_variables(&variables, environment_field, err);
}
