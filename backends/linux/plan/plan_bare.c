/* The plan of a sandbox without namespaces: no mount can cover anything, so whatever it may reach
 * has a Landlock rule, and all else has none. Paths inside are the host's. What lies in /tmp,
 * /var/tmp, /dev/shm, /run and on terminals is other programs', and stays out of reach; HOME,
 * TMPDIR and the working directory are folders of heel's. */
#include <stdlib.h>
#include <string.h>

#include "backends/linux/kernel/landlock_rights.h"
#include "backends/linux/plan/plan_acting.h"
#include "backends/linux/plan/plan_build.h"
#include "backends/linux/plan/plan_siblings.h"

#define READ_EXECUTE (HEEL_ACCESS_READ | HEEL_ACCESS_EXECUTE)
#define EVERYTHING (HEEL_ACCESS_READ | HEEL_ACCESS_WRITE | HEEL_ACCESS_EXECUTE)
#define DEVICE \
    (HEEL_LANDLOCK_READ_FILE | HEEL_LANDLOCK_WRITE_FILE | HEEL_LANDLOCK_TRUNCATE | \
     HEEL_LANDLOCK_IOCTL_DEV)

/* What STRICT shows of the host's /etc, as without mounts there is none of the sandbox's own.
 * Nothing in these files is secret. */
static const char *const accounts[] = {"/etc/passwd", "/etc/group", "/etc/nsswitch.conf",
                                       "/etc/hosts", "/etc/host.conf"};

/* What STRICT shows of /proc. A process's own folder can't be told from others' by a rule, and
 * theirs hold command lines; links in one's own (/proc/self/fd/1, /proc/self/exe) work all the
 * same, since following a link needs no right. */
static const char *const machine[] = {
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/loadavg",
    "/proc/uptime",
    "/proc/version",
    "/proc/filesystems",
    "/proc/sys/kernel/osrelease",
    "/proc/sys/kernel/ngroups_max",
    "/proc/sys/kernel/cap_last_cap",
    "/proc/sys/kernel/pid_max",
    "/proc/sys/kernel/random/boot_id",
    "/proc/sys/kernel/random/uuid",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/vm/max_map_count",
    "/proc/sys/fs/pipe-max-size",
};

static const char *const devices[] = {"/dev/null",   "/dev/zero",    "/dev/full",
                                      "/dev/random", "/dev/urandom", "/dev/tty"};

static void note_all(struct heel_plan_builder *builder, const struct heel_host_entry *entries,
                     size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!entries[i].link)
            heel_plan_note_view(builder, entries[i].path, HEEL_ACCESS_READ);
}

static void note_each(struct heel_plan_builder *builder, const char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        heel_plan_note_view(builder, paths[i], HEEL_ACCESS_READ);
}

static void note_strict(struct heel_plan_builder *builder)
{
    const struct heel_host_facts *facts = builder->input->facts;

    note_all(builder, facts->etc, facts->etc_count);
    note_all(builder, facts->system, facts->system_count);
    note_each(builder, accounts, HEEL_ARRAY_LENGTH(accounts));
    note_each(builder, machine, HEEL_ARRAY_LENGTH(machine));
}

/* Writing to other processes' folders in /proc would be held by their user alone. */
static void note_level(struct heel_plan_builder *builder)
{
    const struct heel_host_facts *facts = builder->input->facts;
    enum heel_level level = builder->input->spec->level;

    for (size_t i = 0; i < facts->top_count; i++)
        if (!facts->top[i].link && heel_plan_shows_top(builder, facts->top[i].path))
            heel_plan_note_view(builder, facts->top[i].path,
                                level == HEEL_LEVEL_PERMISSIVE ? EVERYTHING : READ_EXECUTE);
    heel_plan_note_view(builder, "/var/tmp", 0);
    if (level == HEEL_LEVEL_STRICT) {
        note_strict(builder);
    } else {
        heel_plan_note_view(builder, "/sys", HEEL_ACCESS_READ);
        heel_plan_note_view(builder, "/proc", HEEL_ACCESS_READ);
    }
}

static const char *level_origin(const struct heel_plan_builder *builder)
{
    static const char *const origins[] = {
        [HEEL_LEVEL_STRICT] = "level STRICT",
        [HEEL_LEVEL_DEFAULT] = "level DEFAULT",
        [HEEL_LEVEL_PERMISSIVE] = "level PERMISSIVE",
    };

    return origins[builder->input->spec->level];
}

/* What the level grants, with holes (rights 0) where something is hidden. */
static void grant_views(const struct heel_plan_builder *builder, struct heel_grants *grants)
{
    for (size_t i = 0; i < builder->view_count; i++)
        heel_grants_add(grants, builder->views[i].path,
                        heel_plan_rights_of(builder->views[i].access), level_origin(builder));
}

static void grant_named(const struct heel_plan_builder *builder,
                        const struct heel_plan_named *named, size_t count,
                        struct heel_grants *grants)
{
    for (size_t i = 0; i < count; i++) {
        unsigned level = heel_plan_level_access(builder, named[i].path.path);
        struct heel_grant *grant = heel_grants_add(
            grants, named[i].path.path,
            heel_plan_rights_of(heel_plan_effective_access(level, &named[i])), named[i].origin);

        grant->flags = HEEL_RULE_NAMED;
        grant->device = named[i].path.device;
        grant->inode = named[i].path.inode;
    }
}

static void grant_own(const struct heel_plan_builder *builder, struct heel_grants *grants)
{
    const struct heel_plan_input *input = builder->input;
    uint64_t all = heel_plan_rights_of(EVERYTHING);

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(devices); i++)
        heel_grants_add(grants, devices[i], DEVICE, "own /dev");
    if (input->work_source)
        heel_grants_add(grants, input->work_source, all, "working directory");
    heel_grants_add(grants, input->home_source, all, "own HOME");
    heel_grants_add(grants, input->temp_source, all, "own TMPDIR");
}

/* DENY beats every rule at and below it, whatever gave it. */
static void apply_denials(const struct heel_plan_named *named, size_t count,
                          struct heel_grants *grants)
{
    for (size_t i = 0; i < grants->count; i++) {
        if (!heel_plan_find_deny(named, count, grants->items[i].path))
            continue;
        grants->items[i].rights = 0;
        grants->items[i].flags = 0;
    }
}

/* Takes EXECUTE from everything that may be written. It must come before the rules are made: an
 * opened directory gets the rights that all its entries have in common. */
static void separate_writing(struct heel_grants *grants)
{
    for (size_t i = 0; i < grants->count; i++)
        if (grants->items[i].rights & HEEL_LANDLOCK_WRITE_FILE)
            grants->items[i].rights &= ~HEEL_LANDLOCK_EXECUTE;
}

/* Landlock can't protect a file in a directory in which others may be made, so files that act
 * outside later stay unprotected here. The search is for the report, and to tell new ones from old
 * ones at the end. */
static int find_acting(struct heel_plan_builder *builder, const struct heel_plan_named *named,
                       size_t count, struct heel_error **err)
{
    struct heel_plan *plan = builder->plan;
    int result = heel_plan_add_acting(builder, named, count, err);

    heel_plan_drop_mounts(plan);
    return result;
}

int heel_plan_add_bare(struct heel_plan_builder *builder, struct heel_plan_named *named,
                       size_t count, struct heel_error **err)
{
    struct heel_grants grants = {0};
    int result;

    if (heel_plan_sort_named(builder, named, count, err) < 0)
        return -1;
    note_level(builder);
    heel_plan_add_hidden(builder, named, count);
    grant_views(builder, &grants);
    grant_named(builder, named, count, &grants);
    grant_own(builder, &grants);
    apply_denials(named, count, &grants);
    if (builder->input->spec->write_xor_execute)
        separate_writing(&grants);
    result = heel_plan_add_grants(builder->plan, &grants, heel_siblings_of_host, NULL, err);
    heel_grants_clear(&grants);
    return result < 0 ? -1 : find_acting(builder, named, count, err);
}
