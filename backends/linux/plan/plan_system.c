/* What every sandbox of a level is made of, before its caller's own paths. */
#include <stdlib.h>
#include <string.h>

#include "backends/linux/kernel/landlock_rights.h"
#include "backends/linux/plan/plan_build.h"

/* One tmpfs holds the root, /tmp, /var/tmp, /dev/shm and HOME, so one limit bounds what they take
 * of the host's memory. */
#define SCRATCH_BYTES (2ULL << 30)
#define SCRATCH_INODES 262144

#define READ_EXECUTE (HEEL_ACCESS_READ | HEEL_ACCESS_EXECUTE)
#define EVERYTHING (HEEL_ACCESS_READ | HEEL_ACCESS_WRITE | HEEL_ACCESS_EXECUTE)

static bool is_one_of(const char *path, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(path, *list) == 0)
            return true;
    return false;
}

static const char *origin_of(const struct heel_plan_builder *builder)
{
    static const char *const origins[] = {
        [HEEL_LEVEL_STRICT] = "level STRICT",
        [HEEL_LEVEL_DEFAULT] = "level DEFAULT",
        [HEEL_LEVEL_PERMISSIVE] = "level PERMISSIVE",
    };

    return origins[builder->input->spec->level];
}

bool heel_plan_shows_top(const struct heel_plan_builder *builder, const char *path)
{
    static const char *const strict[] = {"/usr",   "/bin",   "/sbin",   "/lib",
                                         "/lib32", "/lib64", "/libx32", NULL};
    static const char *const replaced[] = {"/proc", "/sys",        "/dev", "/run",
                                           "/tmp",  "/lost+found", NULL};
    static const char *const homes[] = {"/home", "/root", NULL};
    enum heel_level level = builder->input->spec->level;

    if (level == HEEL_LEVEL_STRICT)
        return is_one_of(path, strict);
    if (is_one_of(path, replaced) ||
        (builder->input->work_source && !builder->input->bare && strcmp(path, HEEL_PLAN_WORK) == 0))
        return false;
    return level == HEEL_LEVEL_PERMISSIVE || !is_one_of(path, homes);
}

static void add_top(struct heel_plan_builder *builder)
{
    const struct heel_host_facts *facts = builder->input->facts;
    unsigned access =
        builder->input->spec->level == HEEL_LEVEL_PERMISSIVE ? EVERYTHING : READ_EXECUTE;

    for (size_t i = 0; i < facts->top_count; i++) {
        const struct heel_host_entry *entry = &facts->top[i];

        if (!heel_plan_shows_top(builder, entry->path))
            continue;
        if (entry->link)
            heel_plan_add_mount(builder->plan, HEEL_MOUNT_SYMLINK, 0, entry->link, entry->path,
                                origin_of(builder));
        else
            heel_plan_show(builder, entry->path, access, origin_of(builder));
    }
}

/* STRICT has an /etc of its own, with only what programs need in order to start. */
static void add_etc(struct heel_plan_builder *builder)
{
    static const char nsswitch[] = "passwd: files\ngroup: files\nshadow: files\nhosts: files "
                                   "dns\nnetworks: files\nprotocols: files\nservices: files\n";
    const struct heel_host_facts *facts = builder->input->facts;

    if (builder->input->spec->level != HEEL_LEVEL_STRICT)
        return;
    for (size_t i = 0; i < facts->etc_count; i++) {
        const struct heel_host_entry *entry = &facts->etc[i];

        if (entry->link)
            heel_plan_add_mount(builder->plan, HEEL_MOUNT_SYMLINK, 0, entry->link, entry->path,
                                origin_of(builder));
        else
            heel_plan_add_mount(builder->plan, HEEL_MOUNT_BIND, HEEL_MOUNT_BASE, entry->path,
                                entry->path, origin_of(builder));
    }
    heel_plan_add_mount(builder->plan, HEEL_MOUNT_FILE, 0, nsswitch, "/etc/nsswitch.conf",
                        origin_of(builder))
        ->mode = 0644;
    heel_plan_add_rule(builder->plan, "/etc", HEEL_LANDLOCK_READ, origin_of(builder));
}

/* STRICT has processor topology and memory settings, which allocators and runtimes read; the other
 * levels the devices too, and so has whoever is given one. */
static void add_sys(struct heel_plan_builder *builder)
{
    const struct heel_host_facts *facts = builder->input->facts;

    bool with_devices =
        builder->input->spec->level != HEEL_LEVEL_STRICT || builder->input->spec->hardware;

    heel_plan_note_view(builder, "/sys", 0);
    for (size_t i = 0; i < facts->system_count && !with_devices; i++)
        heel_plan_add_mount(builder->plan, HEEL_MOUNT_BIND, HEEL_MOUNT_BASE, facts->system[i].path,
                            facts->system[i].path, "own /sys");
    if (with_devices)
        heel_plan_add_mount(builder->plan, HEEL_MOUNT_SYSFS, HEEL_MOUNT_OPTIONAL, NULL, "/sys",
                            "own /sys");
    heel_plan_add_rule(builder->plan, "/sys", HEEL_LANDLOCK_READ, "own /sys");
}

static void add_proc(struct heel_plan_builder *builder)
{
    heel_plan_note_view(builder, "/proc", 0);
    heel_plan_add_mount(builder->plan, HEEL_MOUNT_PROC, 0, NULL, "/proc", "own /proc");
    heel_plan_add_mount(builder->plan, HEEL_MOUNT_READ_ONLY, 0, NULL, "/proc/sys", "own /proc");
    /* The names of the user's keys. All else in there that is no business of an ordinary user is
     * root's to read or write. */
    heel_plan_add_mount(builder->plan, HEEL_MOUNT_MASK, HEEL_MOUNT_OPTIONAL, NULL, "/proc/keys",
                        "own /proc");
    /* Programs write to their own comm, oom_score_adj and the like, and shells truncate what they
     * write to. */
    heel_plan_add_rule(builder->plan, "/proc",
                       HEEL_LANDLOCK_READ | HEEL_LANDLOCK_WRITE_FILE | HEEL_LANDLOCK_TRUNCATE,
                       "own /proc");
}

static void add_dev(struct heel_plan_builder *builder)
{
    static const char *const nodes[] = {"/dev/null",   "/dev/zero",    "/dev/full",
                                        "/dev/random", "/dev/urandom", "/dev/tty"};
    static const char *const links[][2] = {
        {"/dev/fd", "/proc/self/fd"},       {"/dev/stdin", "/proc/self/fd/0"},
        {"/dev/stdout", "/proc/self/fd/1"}, {"/dev/stderr", "/proc/self/fd/2"},
        {"/dev/ptmx", "pts/ptmx"},
    };
    struct heel_plan *plan = builder->plan;

    heel_plan_note_view(builder, "/dev", 0);
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(nodes); i++)
        heel_plan_add_mount(plan, HEEL_MOUNT_BIND, HEEL_MOUNT_WRITABLE | HEEL_MOUNT_DEVICES,
                            nodes[i], nodes[i], "own /dev");
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(links); i++)
        heel_plan_add_mount(plan, HEEL_MOUNT_SYMLINK, 0, links[i][1], links[i][0], "own /dev");
    heel_plan_add_mount(plan, HEEL_MOUNT_DEVPTS, HEEL_MOUNT_WRITABLE | HEEL_MOUNT_DEVICES, NULL,
                        "/dev/pts", "own /dev");
    heel_plan_add_mount(plan, HEEL_MOUNT_MQUEUE, HEEL_MOUNT_WRITABLE, NULL, "/dev/mqueue",
                        "own /dev");
    heel_plan_add_rule(plan, "/dev",
                       HEEL_LANDLOCK_READ | HEEL_LANDLOCK_WRITE_FILE | HEEL_LANDLOCK_TRUNCATE |
                           HEEL_LANDLOCK_IOCTL_DEV,
                       "own /dev");
    heel_plan_add_rule(plan, "/dev/mqueue", HEEL_LANDLOCK_READ | HEEL_LANDLOCK_WRITE, "own /dev");
}

static void add_scratch(struct heel_plan_builder *builder, const char *source, const char *target,
                        unsigned mode, unsigned flags)
{
    heel_plan_note_view(builder, target, 0);
    heel_plan_add_mount(builder->plan, HEEL_MOUNT_SCRATCH,
                        flags | HEEL_MOUNT_WRITABLE | HEEL_MOUNT_EXECUTABLE, source, target,
                        "scratch")
        ->mode = mode;
    heel_plan_add_rule(builder->plan, target, heel_plan_rights_of(EVERYTHING), "scratch");
}

static void add_file(struct heel_plan_builder *builder, const char *path, const char *text)
{
    heel_plan_add_mount(builder->plan, HEEL_MOUNT_FILE, HEEL_MOUNT_OPTIONAL, text, path, "identity")
        ->mode = 0644;
}

/* Whether the host's /etc/passwd has the sandbox's user with the home that it has inside: then the
 * host's file will do. */
static bool is_known(const struct heel_plan_builder *builder)
{
    const struct heel_plan *plan = builder->plan;
    const struct heel_host_facts *facts = builder->input->facts;

    for (size_t i = 0; i < facts->user_count; i++)
        if (facts->users[i].uid == plan->uid && facts->users[i].listed &&
            strcmp(facts->users[i].home, plan->paths.home_dir) == 0)
            return builder->input->spec->level != HEEL_LEVEL_STRICT;
    return false;
}

/* A user that getpwuid() knows, and a host that finds its own name. No name server can be reached,
 * whichever resolv.conf names. */
static void add_identity(struct heel_plan_builder *builder)
{
    const struct heel_plan *plan = builder->plan;
    heel_autofree char *passwd = heel_format(
        "root:x:0:0:root:/root:/usr/sbin/nologin\n%s:x:%u:%u:%s:%s:/bin/"
        "sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
        plan->paths.user_name, plan->uid, plan->gid, plan->paths.user_name, plan->paths.home_dir);
    heel_autofree char *group =
        heel_format("root:x:0:\n%s:x:%u:\nnogroup:x:65534:\n", plan->paths.user_name, plan->gid);

    if (!is_known(builder)) {
        add_file(builder, "/etc/passwd", passwd);
        add_file(builder, "/etc/group", group);
    }
    add_file(builder, "/etc/hosts",
             "127.0.0.1 localhost heel\n::1 localhost ip6-localhost ip6-loopback\n");
    if (builder->input->spec->level == HEEL_LEVEL_STRICT)
        add_file(builder, "/etc/resolv.conf",
                 "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
}

static uint64_t at_most(uint64_t usual, uint64_t limit)
{
    return limit > 0 && limit < usual ? limit : usual;
}

void heel_plan_add_system(struct heel_plan_builder *builder)
{
    struct heel_plan *plan = builder->plan;
    struct heel_mount *root = heel_plan_add_mount(plan, HEEL_MOUNT_TMPFS, 0, NULL, "/", "own root");
    bool has_var;

    root->size_bytes = at_most(SCRATCH_BYTES, builder->input->spec->limits.disk_bytes);
    root->inodes = at_most(SCRATCH_INODES, builder->input->spec->limits.disk_inodes);
    heel_plan_add_rule(plan, "/", HEEL_LANDLOCK_READ_DIR, "own root");
    add_top(builder);
    add_etc(builder);
    add_sys(builder);
    heel_plan_note_view(builder, "/run", 0);
    heel_plan_add_mount(plan, HEEL_MOUNT_DIR, 0, NULL, "/run", "own /run");
    if (builder->input->spec->level != HEEL_LEVEL_PERMISSIVE)
        heel_plan_add_mount(plan, HEEL_MOUNT_DIR, 0, NULL, "/home", "own /home");
    add_proc(builder);
    add_dev(builder);
    add_scratch(builder, "/tmp", "/tmp", 01777, 0);
    add_scratch(builder, "/dev/shm", "/dev/shm", 01777, 0);
    has_var = heel_plan_level_access(builder, "/var/tmp");
    /* Where the host's is a link to /tmp, or is not there, there is nothing to replace. */
    add_scratch(builder, has_var ? "/.var-tmp" : "/var/tmp", "/var/tmp", 01777,
                HEEL_MOUNT_OPTIONAL);
    add_scratch(builder, plan->paths.home_dir, plan->paths.home_dir, 0700, 0);
    add_identity(builder);
}
