#include "backends/linux/plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "backends/linux/kernel/landlock_rights.h"
#include "backends/linux/plan/plan_acting.h"
#include "backends/linux/plan/plan_build.h"

/* In memory that doubles: a count that is a power of two has filled it. */
static void *room_for_one_more(void *items, size_t count, size_t size)
{
    bool full = (count & (count - 1)) == 0;

    return full ? heel_xrealloc(items, count > 0 ? 2 * count : 1, size) : items;
}

struct heel_mount *heel_plan_add_mount(struct heel_plan *plan, enum heel_mount_kind kind,
                                       unsigned flags, const char *source, const char *target,
                                       const char *origin)
{
    struct heel_mount *mount;

    plan->mounts = room_for_one_more(plan->mounts, plan->mount_count, sizeof(*plan->mounts));
    mount = &plan->mounts[plan->mount_count++];
    *mount = (struct heel_mount){
        .kind = kind,
        .flags = flags,
        .source = heel_xstrdup(source),
        .target = heel_xstrdup(target),
        .mode = 0755,
        .origin = origin,
    };
    return mount;
}

struct heel_rule *heel_plan_add_rule(struct heel_plan *plan, const char *path, uint64_t rights,
                                     const char *origin)
{
    plan->rules = room_for_one_more(plan->rules, plan->rule_count, sizeof(*plan->rules));
    plan->rules[plan->rule_count] =
        (struct heel_rule){.path = heel_xstrdup(path), .rights = rights, .origin = origin};
    return &plan->rules[plan->rule_count++];
}

static void merge_mounts(struct heel_mount *from, size_t half, size_t count, struct heel_mount *to)
{
    size_t left = 0, right = half;

    for (size_t i = 0; i < count; i++) {
        bool take_left =
            right == count ||
            (left < half && heel_path_compare(from[left].target, from[right].target) <= 0);

        to[i] = take_left ? from[left++] : from[right++];
    }
    memcpy(from, to, count * sizeof(*from));
}

/* A merge sort, as operations on one target have to keep their order. */
static void sort_mounts(struct heel_mount *mounts, size_t count, struct heel_mount *room)
{
    if (count < 2)
        return;
    sort_mounts(mounts, count / 2, room);
    sort_mounts(mounts + count / 2, count - count / 2, room);
    merge_mounts(mounts, count / 2, count, room);
}

void heel_plan_sort_mounts(struct heel_plan *plan)
{
    heel_autofree struct heel_mount *room = heel_xcalloc(plan->mount_count + 1, sizeof(*room));

    sort_mounts(plan->mounts, plan->mount_count, room);
}

void heel_plan_drop_mounts(struct heel_plan *plan)
{
    for (size_t i = 0; i < plan->mount_count; i++) {
        free(plan->mounts[i].source);
        free(plan->mounts[i].target);
    }
    free(heel_steal(plan->mounts));
    plan->mount_count = 0;
}

void heel_plan_free(struct heel_plan *plan)
{
    if (!plan)
        return;
    heel_plan_drop_mounts(plan);
    for (size_t i = 0; i < plan->rule_count; i++)
        free(plan->rules[i].path);
    free(plan->rules);
    free(plan->paths.working_dir);
    free(plan->paths.home_dir);
    free(plan->paths.temp_dir);
    free(plan->paths.host_working_dir);
    free(plan->paths.user_name);
    heel_plan_acting_free(plan->acting);
    heel_buffer_free(&plan->shown);
    free(plan);
}

static void print_text(struct heel_buffer *to, const char *text)
{
    heel_buffer_append_text(to, " \"");
    heel_buffer_append_escaped(to, text, strlen(text));
    heel_buffer_append_text(to, "\"");
}

void heel_plan_print_mount(const struct heel_mount *mount, struct heel_buffer *to)
{
    static const char *const kinds[] = {
        [HEEL_MOUNT_BIND] = "bind",
        [HEEL_MOUNT_TMPFS] = "tmpfs",
        [HEEL_MOUNT_SCRATCH] = "scratch",
        [HEEL_MOUNT_PROC] = "proc",
        [HEEL_MOUNT_SYSFS] = "sysfs",
        [HEEL_MOUNT_DEVPTS] = "devpts",
        [HEEL_MOUNT_MQUEUE] = "mqueue",
        [HEEL_MOUNT_MASK] = "mask",
        [HEEL_MOUNT_READ_ONLY] = "read-only",
        [HEEL_MOUNT_DIR] = "dir",
        [HEEL_MOUNT_SYMLINK] = "link",
        [HEEL_MOUNT_FILE] = "file",
        [HEEL_MOUNT_PIN] = "pin",
    };
    static const char *const flags[] = {"write", "execute", "devices", "optional", "named", "own"};

    heel_buffer_append_text(to, kinds[mount->kind]);
    print_text(to, mount->target);
    if (mount->kind == HEEL_MOUNT_SYMLINK ||
        (mount->kind == HEEL_MOUNT_BIND && strcmp(mount->source, mount->target) != 0)) {
        heel_buffer_append_text(to, " from");
        print_text(to, mount->source);
    }
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(flags); i++)
        if (mount->flags & (1U << i))
            heel_buffer_printf(to, " %s", flags[i]);
}

void heel_plan_print_rule(const struct heel_rule *rule, struct heel_buffer *to)
{
    heel_buffer_append_text(to, "rule");
    print_text(to, rule->path);
    heel_buffer_append_text(to, " ");
    heel_landlock_print_rights(rule->rights, to);
}

void heel_plan_print(const struct heel_plan *plan, struct heel_buffer *to)
{
    for (size_t i = 0; i < plan->mount_count; i++) {
        heel_plan_print_mount(&plan->mounts[i], to);
        heel_buffer_printf(to, " (%s)\n", plan->mounts[i].origin);
    }
    for (size_t i = 0; i < plan->rule_count; i++) {
        heel_plan_print_rule(&plan->rules[i], to);
        heel_buffer_printf(to, " (%s)\n", plan->rules[i].origin);
    }
}

struct heel_plan *heel_plan_copy(const struct heel_plan *plan)
{
    struct heel_plan *copy = heel_xcalloc(1, sizeof(*copy));

    copy->bare = plan->bare;
    copy->write_xor_execute = plan->write_xor_execute;
    copy->uid = plan->uid;
    copy->gid = plan->gid;
    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct heel_mount *mount = &plan->mounts[i];
        struct heel_mount *made = heel_plan_add_mount(copy, mount->kind, mount->flags,
                                                      mount->source, mount->target, mount->origin);

        made->mode = mount->mode;
    }
    for (size_t i = 0; i < plan->rule_count; i++)
        heel_plan_add_rule(copy, plan->rules[i].path, plan->rules[i].rights, plan->rules[i].origin);
    return copy;
}
