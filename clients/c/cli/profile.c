#include "clients/c/cli/profile.h"

#include <string.h>

#include "clients/c/cli/config.h"
#include "clients/c/cli/flags.h"
#include "clients/c/libheel/result.h"

/* Takes what the flags have into a list behind the profile's. */
#define PREPEND(list, count, more) \
    do { \
        (list) = heel_xrealloc(list, (count) + (more), sizeof(*(list))); \
        memmove((list) + (more), list, (count) * sizeof(*(list))); \
        (count) += (more); \
    } while (0)

#define FILL(member, from) \
    do { \
        if (!(member)) \
            (member) = (from); \
    } while (0)

static void fill_boolean(struct cli_boolean *boolean, bool from)
{
    if (!boolean->given)
        boolean->on = from;
}

static void add_lists(struct cli_options *options, const struct heel_spec *spec)
{
    PREPEND(options->paths, options->path_count, spec->path_count);
    for (size_t i = 0; i < spec->path_count; i++)
        options->paths[i] =
            (struct heel_path_rule){cli_absolute(spec->paths[i].path), spec->paths[i].access};
    PREPEND(options->switches, options->switch_count, spec->switch_count);
    for (size_t i = 0; i < spec->switch_count; i++) {
        options->switches[i] = spec->switches[i];
        if (spec->switches[i].path)
            options->switches[i].path = cli_absolute(spec->switches[i].path);
    }
    PREPEND(options->required, options->required_count, spec->required_count);
    for (size_t i = 0; i < spec->required_count; i++)
        options->required[i] = spec->required[i];
}

/* A name that the flags have stays as they have it. */
static void add_pairs(struct cli_pairs *pairs, const struct heel_pair *more, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool known = false;

        for (size_t j = 0; j < pairs->count; j++)
            known = known || strcmp(pairs->items[j].name, more[i].name) == 0;
        if (known)
            continue;
        pairs->items = heel_xrealloc(pairs->items, pairs->count + 1, sizeof(*pairs->items));
        pairs->items[pairs->count++] =
            (struct heel_pair){heel_xstrdup(more[i].name), heel_xstrdup(more[i].value)};
    }
}

static void add_limits(struct cli_options *options, const struct heel_spec *spec)
{
    FILL(options->timeout_ms, spec->wall_time_ms);
    FILL(options->max_output_bytes, spec->max_output_bytes);
    FILL(options->memory_bytes, spec->memory_bytes);
    FILL(options->cpu_time_ms, spec->cpu_time_ms);
    if (!(options->cpu_share > 0))
        options->cpu_share = spec->cpu_share;
    FILL(options->max_processes, spec->max_processes);
    FILL(options->max_file_size_bytes, spec->max_file_size_bytes);
    FILL(options->max_open_files, spec->max_open_files);
    FILL(options->disk_bytes, spec->disk_bytes);
    FILL(options->disk_inodes, spec->disk_inodes);
}

static void apply(struct cli_options *options, const struct heel_spec *spec)
{
    FILL(options->level, spec->level);
    FILL(options->network, spec->network);
    fill_boolean(&options->keep_working_dir, spec->keep_working_dir);
    fill_boolean(&options->write_xor_execute, spec->write_xor_execute);
    fill_boolean(&options->gpu, spec->gpu);
    fill_boolean(&options->npu, spec->npu);
    fill_boolean(&options->all_devices, spec->all_devices);
    FILL(options->ttl_ms, spec->ttl_ms);
    FILL(options->idle_ttl_ms, spec->idle_ttl_ms);
    if (!options->working_dir && spec->working_dir)
        options->working_dir = cli_absolute(spec->working_dir);
    if (!options->has_run_as && spec->run_as) {
        options->has_run_as = true;
        options->run_as = *spec->run_as;
    }
    add_limits(options, spec);
    add_lists(options, spec);
    add_pairs(&options->variables, spec->variables, spec->variable_count);
    add_pairs(&options->labels, spec->labels, spec->label_count);
}

static int apply_from(struct cli_options *options, struct config *config, struct heel_error **err)
{
    yaml_node_t *profile = config_profile(config, options->profile);
    struct heel_spec spec = {HEEL_INIT(heel_spec)};
    arena_auto struct arena arena = {0};
    ProtobufCMessage *message;

    if (!profile)
        return heel_error_set(err, HEEL_NOT_FOUND, NULL, "%s has no profile %s%s", config->path,
                              options->profile, config->found ? "" : ": it isn't there");
    message = config_profile_spec(config, options->profile, profile, err);
    if (!message)
        return -1;
    result_spec(&arena, (Heel__V1__SandboxSpec *)message, &spec);
    apply(options, &spec);
    protobuf_c_message_free_unpacked(message, NULL);
    return 0;
}

int cli_profile_apply(struct cli_options *options, struct heel_error **err)
{
    struct config config;
    int result;

    if (!options->profile)
        return 0;
    if (config_read(options, &config, err))
        return -1;
    result = apply_from(options, &config, err);
    config_clear(&config);
    return result;
}
