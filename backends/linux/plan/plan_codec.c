/* Plans as bytes. Both ends are heel's own, but init holds what it decodes to be hostile all the
 * same: it acts on it with privileges. */
#include <stdlib.h>
#include <string.h>

#include "backends/linux/plan/plan.h"
#include "backends/linux/plan/plan_build.h"

#define MAGIC 0x326e616c70ULL
#define STRING_MAX (1U << 20)
#define ITEMS_MAX 65536U
#define LIMITS 8 /* numbers in a struct heel_limits */

/* Where the next value is read; `bad` sticks. */
struct reader {
    const char *data;
    size_t left;
    bool bad;
};

static void put_number(struct heel_buffer *to, uint64_t value)
{
    heel_buffer_append(to, &value, sizeof(value));
}

static void put_string(struct heel_buffer *to, const char *text)
{
    put_number(to, text ? strlen(text) + 1 : 0);
    if (text)
        heel_buffer_append(to, text, strlen(text) + 1);
}

static uint64_t get_number(struct reader *from, uint64_t maximum)
{
    uint64_t value;

    if (from->bad || from->left < sizeof(value)) {
        from->bad = true;
        return 0;
    }
    memcpy(&value, from->data, sizeof(value));
    from->data += sizeof(value);
    from->left -= sizeof(value);
    if (value > maximum)
        from->bad = true;
    return from->bad ? 0 : value;
}

/* Borrowed from the bytes, NULL where none was put. */
static const char *get_string(struct reader *from)
{
    size_t size = get_number(from, STRING_MAX);
    const char *text = from->data;

    if (from->bad || size == 0)
        return NULL;
    if (size > from->left || memchr(text, 0, size) != text + size - 1) {
        from->bad = true;
        return NULL;
    }
    from->data += size;
    from->left -= size;
    return text;
}

static void put_mount(struct heel_buffer *to, const struct heel_mount *mount)
{
    put_number(to, mount->kind);
    put_number(to, mount->flags);
    put_string(to, mount->source);
    put_string(to, mount->target);
    put_number(to, mount->device);
    put_number(to, mount->inode);
    put_number(to, mount->size_bytes);
    put_number(to, mount->inodes);
    put_number(to, mount->mode);
}

static void get_mount(struct reader *from, struct heel_plan *plan)
{
    enum heel_mount_kind kind = (enum heel_mount_kind)get_number(from, HEEL_MOUNT_PIN);
    unsigned flags = (unsigned)get_number(from, HEEL_MOUNT_OWN * 2 - 1);
    const char *source = get_string(from);
    const char *target = get_string(from);
    struct heel_mount *mount;

    if (!target || target[0] != '/')
        from->bad = true;
    if (!source && (kind == HEEL_MOUNT_BIND || kind == HEEL_MOUNT_SYMLINK ||
                    kind == HEEL_MOUNT_FILE || kind == HEEL_MOUNT_SCRATCH))
        from->bad = true;
    if (from->bad)
        return;
    mount = heel_plan_add_mount(plan, kind, flags, source, target, "");
    mount->device = get_number(from, UINT64_MAX);
    mount->inode = get_number(from, UINT64_MAX);
    mount->size_bytes = get_number(from, UINT64_MAX);
    mount->inodes = get_number(from, UINT64_MAX);
    mount->mode = (unsigned)get_number(from, 07777);
}

static void get_rule(struct reader *from, struct heel_plan *plan)
{
    const char *path = get_string(from);
    uint64_t rights = get_number(from, UINT64_MAX);
    struct heel_rule *rule;

    if (!path || path[0] != '/')
        from->bad = true;
    if (from->bad)
        return;
    rule = heel_plan_add_rule(plan, path, rights, "");
    rule->flags = (unsigned)get_number(from, HEEL_RULE_NAMED * 2 - 1);
    rule->device = get_number(from, UINT64_MAX);
    rule->inode = get_number(from, UINT64_MAX);
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

static struct heel_limits get_limits(struct reader *from)
{
    uint64_t values[LIMITS];

    for (size_t i = 0; i < LIMITS; i++)
        values[i] = get_number(from, INT64_MAX);
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

    put_number(to, MAGIC);
    put_number(to, plan->bare);
    put_number(to, plan->guarded);
    put_number(to, plan->write_xor_execute);
    put_number(to, plan->audited);
    put_number(to, plan->uid);
    put_number(to, plan->gid);
    for (size_t i = 0; i < LIMITS; i++)
        put_number(to, limit_at(&plan->limits, i));
    for (size_t i = 0; (string = path_strings(&copy, i)); i++)
        put_string(to, *string);
    put_number(to, plan->mount_count);
    for (size_t i = 0; i < plan->mount_count; i++)
        put_mount(to, &plan->mounts[i]);
    put_number(to, plan->rule_count);
    for (size_t i = 0; i < plan->rule_count; i++) {
        put_string(to, plan->rules[i].path);
        put_number(to, plan->rules[i].rights);
        put_number(to, plan->rules[i].flags);
        put_number(to, plan->rules[i].device);
        put_number(to, plan->rules[i].inode);
    }
}

int heel_plan_decode(const void *data, size_t length, struct heel_plan **plan,
                     struct heel_error **err)
{
    struct reader from = {.data = data, .left = length};
    heel_autoplan struct heel_plan *made = heel_xcalloc(1, sizeof(*made));
    size_t count;
    char **string;

    if (get_number(&from, UINT64_MAX) != MAGIC)
        from.bad = true;
    made->bare = get_number(&from, 1) == 1;
    made->guarded = get_number(&from, 1) == 1;
    made->write_xor_execute = get_number(&from, 1) == 1;
    made->audited = get_number(&from, 1) == 1;
    made->uid = (uid_t)get_number(&from, UINT32_MAX - 1);
    made->gid = (gid_t)get_number(&from, UINT32_MAX - 1);
    made->limits = get_limits(&from);
    for (size_t i = 0; (string = path_strings(made, i)); i++)
        *string = heel_xstrdup(get_string(&from));
    count = get_number(&from, ITEMS_MAX);
    for (size_t i = 0; i < count && !from.bad; i++)
        get_mount(&from, made);
    count = get_number(&from, ITEMS_MAX);
    for (size_t i = 0; i < count && !from.bad; i++)
        get_rule(&from, made);
    if (from.bad || from.left > 0)
        return heel_error_set(err, HEEL_INTERNAL, "INTERNAL", "the plan of a sandbox is damaged");
    *plan = heel_steal(made);
    return 0;
}
