/* Plans as bytes. Both ends are heel's own, but init holds what it decodes to be hostile all the
 * same: it acts on it with privileges. */
#include <stdlib.h>
#include <string.h>

#include "backends/linux/messages/codec.h"
#include "backends/linux/plan/plan.h"
#include "backends/linux/plan/plan_build.h"

#define MAGIC 0x326e616c70ULL
#define ITEMS_MAX 65536U
#define LIMITS 8 /* numbers in a struct heel_limits */

static void put_mount(struct heel_buffer *to, const struct heel_mount *mount)
{
    heel_put_u64(to, mount->kind);
    heel_put_u64(to, mount->flags);
    heel_put_string(to, mount->source);
    heel_put_string(to, mount->target);
    heel_put_u64(to, mount->device);
    heel_put_u64(to, mount->inode);
    heel_put_u64(to, mount->size_bytes);
    heel_put_u64(to, mount->inodes);
    heel_put_u64(to, mount->mode);
}

static void get_mount(struct heel_reader *from, struct heel_plan *plan)
{
    enum heel_mount_kind kind = (enum heel_mount_kind)heel_get_bounded(from, HEEL_MOUNT_PIN);
    unsigned flags = (unsigned)heel_get_bounded(from, HEEL_MOUNT_OWN * 2 - 1);
    const char *source = heel_get_string(from);
    const char *target = heel_get_string(from);
    struct heel_mount *mount;

    if (!target || target[0] != '/')
        from->failed = true;
    if (!source && (kind == HEEL_MOUNT_BIND || kind == HEEL_MOUNT_SYMLINK ||
                    kind == HEEL_MOUNT_FILE || kind == HEEL_MOUNT_SCRATCH))
        from->failed = true;
    if (from->failed)
        return;
    mount = heel_plan_add_mount(plan, kind, flags, source, target, "");
    mount->device = heel_get_u64(from);
    mount->inode = heel_get_u64(from);
    mount->size_bytes = heel_get_u64(from);
    mount->inodes = heel_get_u64(from);
    mount->mode = (unsigned)heel_get_bounded(from, 07777);
}

static void get_rule(struct heel_reader *from, struct heel_plan *plan)
{
    const char *path = heel_get_string(from);
    uint64_t rights = heel_get_u64(from);
    struct heel_rule *rule;

    if (!path || path[0] != '/')
        from->failed = true;
    if (from->failed)
        return;
    rule = heel_plan_add_rule(plan, path, rights, "");
    rule->flags = (unsigned)heel_get_bounded(from, HEEL_RULE_NAMED * 2 - 1);
    rule->device = heel_get_u64(from);
    rule->inode = heel_get_u64(from);
}

static char **path_strings(struct heel_plan *plan, size_t index)
{
    char **const strings[] = {&plan->paths.working_dir, &plan->paths.home_dir,
                              &plan->paths.temp_dir, &plan->paths.host_working_dir,
                              &plan->paths.user_name};

    return index < HEEL_ARRAY_LENGTH(strings) ? strings[index] : NULL;
}

static uint64_t limit_at(const struct heel_limits *limits, size_t index)
{
    const uint64_t values[LIMITS] = {
        limits->memory_bytes,  (uint64_t)limits->cpu_time_us, limits->cpu_share_milli,
        limits->max_processes, limits->max_file_size_bytes,   limits->max_open_files,
        limits->disk_bytes,    limits->disk_inodes,
    };

    return values[index];
}

static struct heel_limits get_limits(struct heel_reader *from)
{
    uint64_t values[LIMITS];

    for (size_t i = 0; i < LIMITS; i++)
        values[i] = heel_get_bounded(from, INT64_MAX);
    return (struct heel_limits){
        .memory_bytes = values[0],
        .cpu_time_us = (int64_t)values[1],
        .cpu_share_milli = values[2],
        .max_processes = values[3],
        .max_file_size_bytes = values[4],
        .max_open_files = values[5],
        .disk_bytes = values[6],
        .disk_inodes = values[7],
    };
}

void heel_plan_encode(const struct heel_plan *plan, struct heel_buffer *to)
{
    struct heel_plan copy = *plan;
    char **string;

    heel_put_u64(to, MAGIC);
    heel_put_u64(to, plan->bare);
    heel_put_u64(to, plan->guarded);
    heel_put_u64(to, plan->write_xor_execute);
    heel_put_u64(to, plan->audited);
    heel_put_u64(to, plan->uid);
    heel_put_u64(to, plan->gid);
    for (size_t i = 0; i < LIMITS; i++)
        heel_put_u64(to, limit_at(&plan->limits, i));
    for (size_t i = 0; (string = path_strings(&copy, i)); i++)
        heel_put_string(to, *string);
    heel_put_u64(to, plan->mount_count);
    for (size_t i = 0; i < plan->mount_count; i++)
        put_mount(to, &plan->mounts[i]);
    heel_put_u64(to, plan->rule_count);
    for (size_t i = 0; i < plan->rule_count; i++) {
        heel_put_string(to, plan->rules[i].path);
        heel_put_u64(to, plan->rules[i].rights);
        heel_put_u64(to, plan->rules[i].flags);
        heel_put_u64(to, plan->rules[i].device);
        heel_put_u64(to, plan->rules[i].inode);
    }
}

int heel_plan_decode(const void *data, size_t length, struct heel_plan **plan,
                     struct heel_error **err)
{
    struct heel_reader from = heel_reader_of(data, length);
    heel_autoplan struct heel_plan *made = heel_xcalloc(1, sizeof(*made));
    size_t count;
    char **string;

    if (heel_get_u64(&from) != MAGIC)
        from.failed = true;
    made->bare = heel_get_bounded(&from, 1) == 1;
    made->guarded = heel_get_bounded(&from, 1) == 1;
    made->write_xor_execute = heel_get_bounded(&from, 1) == 1;
    made->audited = heel_get_bounded(&from, 1) == 1;
    made->uid = (uid_t)heel_get_bounded(&from, UINT32_MAX - 1);
    made->gid = (gid_t)heel_get_bounded(&from, UINT32_MAX - 1);
    made->limits = get_limits(&from);
    for (size_t i = 0; (string = path_strings(made, i)); i++)
        *string = heel_xstrdup(heel_get_string(&from));
    count = heel_get_bounded(&from, ITEMS_MAX);
    for (size_t i = 0; i < count && !from.failed; i++)
        get_mount(&from, made);
    count = heel_get_bounded(&from, ITEMS_MAX);
    for (size_t i = 0; i < count && !from.failed; i++)
        get_rule(&from, made);
    if (!heel_reader_done(&from))
        return heel_error_set(err, HEEL_INTERNAL, "INTERNAL", "the plan of a sandbox is damaged");
    *plan = heel_steal(made);
    return 0;
}
