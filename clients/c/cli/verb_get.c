#include <inttypes.h>

#include "clients/c/cli/connect.h"
#include "clients/c/cli/report.h"
#include "clients/c/cli/table.h"

static void add_row(struct table *table, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    table_add(table, name);
    table_add(table, value);
}

static void add_duration(struct table *table, const char *name, int64_t milliseconds)
{
    heel_autofree char *text = milliseconds ? cli_duration(milliseconds) : NULL;

    add_row(table, name, text);
}

static void add_time(struct table *table, const char *name, int64_t milliseconds)
{
    heel_autofree char *text = milliseconds ? cli_time(milliseconds) : NULL;

    add_row(table, name, text);
}

static const char *access_name(enum heel_access access)
{
    static const char *const names[] = {
        [HEEL_ACCESS_READ] = "readable",
        [HEEL_ACCESS_WRITE] = "writable",
        [HEEL_ACCESS_EXECUTE] = "executable",
        [HEEL_ACCESS_DENY] = "denied",
    };
    size_t index = (size_t)access;

    return index < HEEL_ARRAY_LENGTH(names) && names[index] ? names[index] : "other";
}

/* Those that differ from the level's own. */
static void add_switches(struct table *table, const struct heel_spec *spec)
{
    for (size_t i = 0; i < spec->switch_count; i++) {
        const struct heel_protection_switch *given = &spec->switches[i];

        if (given->path || given->on != (spec->level != HEEL_LEVEL_PERMISSIVE))
            add_row(table, given->on ? "protected" : "unprotected",
                    given->path ? given->path : heel_protected_group_name(given->group));
    }
}

static void add_number(struct table *table, const char *name, uint64_t number)
{
    heel_autofree char *text = number ? heel_format("%" PRIu64, number) : NULL;

    add_row(table, name, text);
}

static void add_limits(struct table *table, const struct heel_spec *spec)
{
    heel_autofree char *share = spec->cpu_share > 0 ? heel_format("%g", spec->cpu_share) : NULL;

    add_number(table, "max memory", spec->memory_bytes);
    add_duration(table, "max cpu time", spec->cpu_time_ms);
    add_row(table, "cpus", share);
    add_number(table, "max processes", spec->max_processes);
    add_number(table, "max file size", spec->max_file_size_bytes);
    add_number(table, "max open files", spec->max_open_files);
    add_number(table, "max disk", spec->disk_bytes);
    add_number(table, "max inodes", spec->disk_inodes);
}

static void add_spec(struct table *table, const struct heel_spec *spec)
{
    heel_autofree char *labels = table_pairs(spec->labels, spec->label_count);

    add_row(table, "level", heel_level_name(spec->level));
    for (size_t i = 0; i < spec->path_count; i++)
        add_row(table, access_name(spec->paths[i].access), spec->paths[i].path);
    add_switches(table, spec);
    for (size_t i = 0; i < spec->required_count; i++)
        add_row(table, "required", heel_protection_name(spec->required[i]));
    if (spec->run_as) {
        heel_autofree char *user = heel_format("%u:%u", spec->run_as->uid, spec->run_as->gid);

        add_row(table, "runs as", user);
    }
    add_row(table, "network", spec->network == HEEL_NETWORK_DENY_ALL ? "deny" : NULL);
    add_duration(table, "timeout", spec->wall_time_ms);
    add_limits(table, spec);
    add_duration(table, "ttl", spec->ttl_ms);
    add_duration(table, "idle ttl", spec->idle_ttl_ms);
    add_row(table, "labels", labels);
}

static char *describe(const struct heel_sandbox_info *sandbox)
{
    heel_autofree char *running = heel_format("%u", sandbox->running_commands);
    struct table table = {.columns = 2};
    struct heel_buffer to = {0};

    add_row(&table, "sandbox", sandbox->id);
    add_row(&table, "state", heel_sandbox_state_name(sandbox->state));
    add_row(&table, "running", running);
    add_time(&table, "created", sandbox->create_time_ms);
    add_time(&table, "expires", sandbox->expire_time_ms);
    add_row(&table, "working dir", sandbox->working_dir);
    add_row(&table, "on the host", sandbox->host_working_dir);
    add_row(&table, "home dir", sandbox->home_dir);
    add_row(&table, "temp dir", sandbox->temp_dir);
    add_spec(&table, &sandbox->spec);
    table_print(&table, &to);
    heel_buffer_append_text(&to, "\n");
    table_print_enforcement(sandbox->enforcement, sandbox->enforcement_count, &to);
    return to.data;
}

int cli_get(const struct cli_options *options, struct heel_error **err)
{
    struct heel_sandbox_info *sandbox;
    struct heel_client *client;
    int result;

    if (cli_connect(options, CLI_NEEDS_LASTING, &client, err))
        return -1;
    result = heel_sandbox_get(client, options->arguments[0], NULL, &sandbox, err);
    if (!result) {
        result =
            cli_print(options->json ? heel_sandbox_info_json(sandbox, 2) : describe(sandbox), err);
        heel_sandbox_info_free(sandbox);
    }
    cli_disconnect(client);
    return result;
}
