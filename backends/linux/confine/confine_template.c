/* Mounts in two parts: most of them are the same for every sandbox of a level and uid, so they are
 * made once, in a mount namespace that new sandboxes get copies of (the template), and a sandbox
 * adds what is its own.
 *
 * What is shared can't be changed: the template's root is read-only as a file system, and the rest
 * is the host's, restricted. It is private to its namespace: neither side sees what the other
 * mounts. While it is there, a file system that the host unmounts stays in use: the launcher
 * forgets its templates when the host's mounts change. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "backends/linux/confine/confine.h"
#include "backends/linux/confine/confine_build.h"
#include "backends/linux/kernel/mount_calls.h"
#include "backends/linux/plan/plan_build.h"

/* What a new sandbox needs while it is set up and drops before it runs anything. */
#define AIDS HEEL_COVERS "/setup"
#define AIDS_PROC AIDS "/proc" /* the kernel allows a new proc only where one is fully visible */
#define AIDS_WORKS AIDS "/works"
#define AIDS_SCRATCH AIDS "/scratch"

#define OWN_ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define FNV_OFFSET 0xcbf29ce484222325U
#define FNV_PRIME 0x100000001b3U

static int fail(const char *what, struct heel_error **err)
{
    int saved = errno;

    return heel_error_set(err, HEEL_FAILED_PRECONDITION, "SETUP_FAILED",
                          "can't %s of a sandbox: %s", what, strerror(saved));
}

/* ---- which is which ---- */

static bool begins_own(const struct heel_mount *mount)
{
    switch (mount->kind) {
    case HEEL_MOUNT_PROC:    /* of its pid namespace */
    case HEEL_MOUNT_MQUEUE:  /* of its ipc namespace */
    case HEEL_MOUNT_DEVPTS:  /* its terminals */
    case HEEL_MOUNT_SCRATCH: /* what it writes */
        return true;
    default:
        return (mount->flags & HEEL_MOUNT_OWN) != 0;
    }
}

static bool is_own(const struct heel_plan *plan, const struct heel_mount *mount)
{
    for (size_t i = 1; i < plan->mount_count; i++)
        if (begins_own(&plan->mounts[i]) &&
            heel_path_is_at_or_below(mount->target, plan->mounts[i].target))
            return true;
    return false;
}

static bool is_shared(const struct heel_plan *plan, const struct heel_mount *mount)
{
    return !is_own(plan, mount);
}

/* A sandbox's working directory lies in `works`, under a name. */
static bool lies_in(const char *path, const char *works)
{
    size_t length = strlen(works);

    return strncmp(path, works, length) == 0 && path[length] == '/' && path[length + 1] &&
           !strchr(path + length + 1, '/') && path[length + 1] != '.';
}

bool heel_plan_fits_template(const struct heel_plan *plan, const char *works)
{
    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct heel_mount *mount = &plan->mounts[i];

        if (mount->flags & HEEL_MOUNT_NAMED)
            return false;
        if (mount->flags & HEEL_MOUNT_OWN) {
            if (mount->kind != HEEL_MOUNT_BIND || !lies_in(mount->source, works))
                return false;
        } else if (mount->kind == HEEL_MOUNT_BIND && is_own(plan, mount)) {
            return false; /* a template's root leaves no way to the host's directories */
        }
    }
    return plan->mount_count > 0 && plan->mounts[0].kind == HEEL_MOUNT_TMPFS;
}

static void hash(uint64_t *state, const void *data, size_t length)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < length; i++)
        *state = (*state ^ bytes[i]) * FNV_PRIME;
}

uint64_t heel_plan_fingerprint(const struct heel_plan *plan)
{
    uint64_t state = FNV_OFFSET;

    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct heel_mount *mount = &plan->mounts[i];
        /* Not the sizes: the scratch space that they are of is each sandbox's own. */
        const uint64_t numbers[] = {(uint64_t)mount->kind, mount->flags, mount->mode};

        hash(&state, numbers, sizeof(numbers));
        hash(&state, mount->target, strlen(mount->target) + 1);
        if (mount->source && !(mount->flags & HEEL_MOUNT_OWN))
            hash(&state, mount->source, strlen(mount->source) + 1);
    }
    return state;
}

/* ---- making a template ---- */

/* The root can't take new entries later. */
static int make_places(const struct heel_mount_builder *builder, struct heel_error **err)
{
    const struct heel_plan *plan = builder->plan;

    for (size_t i = 1; i < plan->mount_count; i++)
        if (begins_own(&plan->mounts[i]) &&
            heel_mounts_make_place(builder->root, plan->mounts[i].target, true, 0755) < 0 &&
            !(plan->mounts[i].flags & HEEL_MOUNT_OPTIONAL))
            return fail("make the mount points", err);
    return 0;
}

static int add_filesystem(int root, const char *type, const char *const (*options)[2],
                          const char *target)
{
    heel_autoclose int tree =
        heel_mounts_new_filesystem(type, options, OWN_ATTRIBUTES | MOUNT_ATTR_NOEXEC);

    return tree < 0 ? -1 : heel_move_mount(tree, root, target);
}

static int make_aids(const struct heel_mount_builder *builder, const char *works,
                     struct heel_error **err)
{
    static const char *const small[][2] = {
        {"size", "64k"}, {"nr_inodes", "16"}, {"mode", "0700"}, {NULL, NULL}};
    heel_autoclose int tree = -1;

    if (mkdirat(builder->covers_directory, strrchr(AIDS, '/') + 1, 0) < 0 ||
        add_filesystem(builder->root, "tmpfs", small, AIDS) < 0 ||
        mkdirat(builder->root, AIDS_PROC, 0700) < 0 ||
        mkdirat(builder->root, AIDS_WORKS, 0700) < 0 ||
        mkdirat(builder->root, AIDS_SCRATCH, 0700) < 0 ||
        add_filesystem(builder->root, "proc", NULL, AIDS_PROC) < 0)
        return fail("make the template", err);
    tree = heel_open_tree(AT_FDCWD, works, AT_SYMLINK_NOFOLLOW);
    if (tree < 0 || heel_mount_set(tree, 0, OWN_ATTRIBUTES, 0) < 0 ||
        heel_move_mount(tree, builder->root, AIDS_WORKS) < 0)
        return fail("show the working directories to the template", err);
    return 0;
}

/* Not only the mount, of which sandboxes have copies. */
static int freeze_root(struct heel_error **err)
{
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0)
        return fail("freeze the template", err);
    return 0;
}

int heel_confine_template(const struct heel_plan *plan, const char *works, struct heel_error **err)
{
    struct heel_mount_builder builder = {
        .plan = plan, .wanted = is_shared, .root = -1, .works = -1, .covers_directory = -1};
    mode_t mask = umask(0);
    int result = -1;

    if (!heel_plan_fits_template(plan, works))
        heel_error_set(err, HEEL_INTERNAL, "INTERNAL", "no template can be made of this plan");
    else if (heel_mounts_make_root(&builder, err) == 0 &&
             heel_mounts_make_base(&builder, err) == 0 &&
             heel_mounts_make_rest(&builder, err) == 0 && make_places(&builder, err) == 0 &&
             make_aids(&builder, works, err) == 0 && heel_mounts_enter_root(&builder, err) == 0)
        result = 0;
    if (builder.covers_directory >= 0)
        close(builder.covers_directory);
    if (builder.root >= 0)
        close(builder.root);
    umask(mask);
    return result == 0 ? freeze_root(err) : -1;
}

/* ---- making a sandbox of it ---- */

static int add_scratch(struct heel_mount_builder *builder, struct heel_error **err)
{
    const struct heel_mount *root = &builder->plan->mounts[0];
    char size[32], inodes[32];
    const char *const options[][2] = {
        {"size", size}, {"nr_inodes", inodes}, {"mode", "0755"}, {NULL, NULL}};

    snprintf(size, sizeof(size), "%llu", (unsigned long long)root->size_bytes);
    snprintf(inodes, sizeof(inodes), "%llu", (unsigned long long)root->inodes);
    builder->scratch = heel_mounts_new_filesystem("tmpfs", options, OWN_ATTRIBUTES);
    if (builder->scratch < 0 || heel_move_mount(builder->scratch, builder->root, AIDS_SCRATCH) < 0)
        return fail("make the scratch space", err);
    return 0;
}

static int add_own(struct heel_mount_builder *builder, struct heel_error **err)
{
    builder->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    builder->works = open("/" AIDS_WORKS, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (builder->root < 0 || builder->works < 0)
        return fail("open the template", err);
    if (add_scratch(builder, err) < 0 || heel_mounts_make_rest(builder, err) < 0)
        return -1;
    if (umount2("/" AIDS, MNT_DETACH) < 0)
        return fail("close the working directories of others", err);
    return 0;
}

int heel_confine_from_template(const struct heel_plan *plan, const char *works,
                               uint64_t fingerprint, struct heel_error **err)
{
    struct heel_mount_builder builder = {.plan = plan,
                                         .wanted = is_own,
                                         .root = -1,
                                         .scratch = -1,
                                         .works = -1,
                                         .covers_directory = -1};
    mode_t mask = umask(0);
    int result = -1;

    if (!heel_plan_fits_template(plan, works) || heel_plan_fingerprint(plan) != fingerprint)
        heel_error_set(err, HEEL_INTERNAL, "INTERNAL",
                       "a sandbox was made from a template of another plan");
    else
        result = add_own(&builder, err);
    if (builder.scratch >= 0)
        close(builder.scratch);
    if (builder.works >= 0)
        close(builder.works);
    if (builder.root >= 0)
        close(builder.root);
    umask(mask);
    return result;
}
