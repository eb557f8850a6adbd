/* Carries out a plan's mounts in the sandbox's own mount namespace, before anything that could
 * interfere runs in it.
 *
 * The new root, a tmpfs, is put on top of "/" and filled through a descriptor, while absolute paths
 * still lead to the old root below it; then it becomes the root and the old one is dropped. Targets
 * in the new root that lie below something of the host's are opened without following any link: a
 * link there would otherwise lead back to the old root, and a mask would cover the wrong thing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "backends/linux/confine/confine.h"
#include "backends/linux/confine/confine_build.h"
#include "backends/linux/kernel/mount_calls.h"
#include "backends/linux/plan/plan_build.h"

#define FOLDED (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define TERMINALS_MAX "256" /* of the 3072 that Linux gives all sandboxes, and containers */

static int fail(const struct heel_mount *mount, const char *what, struct heel_error **err)
{
    int saved = errno;

    return heel_error_set(err, HEEL_FAILED_PRECONDITION, "SETUP_FAILED",
                          "can't %s \"%s\" in the sandbox: %s", what, mount->target,
                          strerror(saved));
}

static const char *relative(const char *path)
{
    return path[1] ? path + 1 : ".";
}

static unsigned attributes_of(const struct heel_mount *mount)
{
    unsigned attributes = MOUNT_ATTR_NOSUID;

    if (!(mount->flags & HEEL_MOUNT_WRITABLE))
        attributes |= MOUNT_ATTR_RDONLY;
    if (!(mount->flags & HEEL_MOUNT_EXECUTABLE))
        attributes |= MOUNT_ATTR_NOEXEC;
    if (!(mount->flags & HEEL_MOUNT_DEVICES))
        attributes |= MOUNT_ATTR_NODEV;
    return attributes;
}

/* ---- targets ---- */

static int make_parents(int root, const char *path, mode_t mode)
{
    heel_autofree char *copy = heel_xstrdup(path);

    for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdirat(root, copy, mode) < 0 && errno != EEXIST)
            return -1;
        *slash = '/';
    }
    return 0;
}

/* A directory, or for anything else an empty file, at `target`, with its parents. One that is there
 * already is fine. */
int heel_mounts_make_place(int root, const char *target, bool directory, mode_t mode)
{
    const char *path = relative(target);

    for (int attempt = 0; attempt < 2; attempt++) {
        int made = directory ? mkdirat(root, path, mode) : mknodat(root, path, S_IFREG | 0644, 0);

        if (made == 0 || errno == EEXIST)
            return 0;
        if (errno != ENOENT || make_parents(root, path, 0755) < 0)
            return -1;
    }
    return -1;
}

/* The place where something is to be mounted, through no link. */
static int open_target(int root, const char *target)
{
    return heel_openat2(root, relative(target), O_PATH | O_NOFOLLOW,
                        RESOLVE_NO_SYMLINKS | RESOLVE_IN_ROOT);
}

/* Whether `target` lies in directories that the new root never has from the host, at any level; nor
 * can a caller name anything in them. */
static bool is_own(const char *target)
{
    return heel_starts_with(target, "/dev/") || heel_starts_with(target, "/proc/") ||
           heel_starts_with(target, "/sys/") || strcmp(target, "/proc") == 0 ||
           strcmp(target, "/sys") == 0 || strcmp(target, "/tmp") == 0;
}

/* Mounts `tree` on `target`, which exists or is made; 0 or -1 and errno. */
static int attach(struct heel_mount_builder *builder, int tree, const char *target, bool directory,
                  mode_t mode)
{
    heel_autoclose int place = -1;

    if (is_own(target)) { /* half of all targets are such: no link can be there, and plain mkdirat()
                             is quicker */
        /* A template has all its places already. */
        if (builder->works < 0 &&
            heel_mounts_make_place(builder->root, target, directory, mode) < 0)
            return -1;
        return heel_move_mount(tree, builder->root, relative(target));
    }
    place = open_target(builder->root, target);
    if (place < 0 && errno == ENOENT &&
        heel_mounts_make_place(builder->root, target, directory, mode) == 0)
        place = open_target(builder->root, target);
    return place < 0 ? -1 : heel_move_mount(tree, place, "");
}

/* ---- sources ---- */

/* A source of the system's or heel's own, as it stands in the old root. */
static int open_plain(const struct heel_mount *mount)
{
    return heel_open_tree(AT_FDCWD, mount->source, AT_RECURSIVE | AT_SYMLINK_NOFOLLOW);
}

/* A source that the caller named: found again without following links, and it must be what the plan
 * was made for. */
static int open_pinned(const struct heel_mount *mount, mode_t *mode)
{
    heel_autoclose int fd = heel_openat2(AT_FDCWD, mount->source, O_PATH | O_NOFOLLOW,
                                         RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0)
        return -1;
    if (status.st_dev != mount->device || status.st_ino != mount->inode) {
        errno = ESTALE;
        return -1;
    }
    *mode = status.st_mode;
    return heel_open_tree(fd, "", AT_RECURSIVE | AT_EMPTY_PATH);
}

static int open_source(const struct heel_mount_builder *builder, size_t index, mode_t *mode)
{
    const struct heel_mount *mount = &builder->plan->mounts[index];
    int fd = builder->mount_fds ? builder->mount_fds[index] : -1;
    struct stat status;

    if (fd >= 0)
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    else if (mount->flags & HEEL_MOUNT_NAMED)
        return open_pinned(mount, mode);
    else if (builder->works >= 0 && (mount->flags & HEEL_MOUNT_OWN))
        fd = heel_open_tree(builder->works, strrchr(mount->source, '/') + 1, AT_SYMLINK_NOFOLLOW);
    else
        fd = open_plain(mount);
    if (fd >= 0 && fstat(fd, &status) == 0)
        *mode = status.st_mode;
    return fd;
}

/* ---- operations ---- */

static int do_bind(struct heel_mount_builder *builder, size_t index, struct heel_error **err)
{
    const struct heel_mount *mount = &builder->plan->mounts[index];
    mode_t mode = S_IFDIR;
    heel_autoclose int tree = open_source(builder, index, &mode);

    if (tree < 0) {
        if ((mount->flags & HEEL_MOUNT_OPTIONAL) && (errno == ENOENT || errno == EACCES))
            return 0;
        return fail(mount, errno == ESTALE ? "use what was swapped meanwhile for" : "open", err);
    }
    /* Device nodes keep the flags they have: they are written to, and nothing else can be done with
     * them. */
    if (!(mount->flags & HEEL_MOUNT_DEVICES) &&
        heel_mount_set(tree, AT_RECURSIVE, attributes_of(mount), 0) < 0)
        return fail(mount, "restrict", err);
    if (attach(builder, tree, mount->target, S_ISDIR(mode), 0755) < 0)
        return fail(mount, "mount", err);
    return 0;
}

int heel_mounts_new_filesystem(const char *type, const char *const (*options)[2],
                               unsigned attributes)
{
    heel_autoclose int context = heel_fsopen(type);

    if (context < 0)
        return -1;
    for (; options && (*options)[0]; options++)
        if (heel_fsconfig(context, FSCONFIG_SET_STRING, (*options)[0], (*options)[1]) < 0)
            return -1;
    if (heel_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
        return -1;
    return heel_fsmount(context, attributes);
}

static int do_new(struct heel_mount_builder *builder, size_t index, struct heel_error **err)
{
    static const char *const none[][2] = {{NULL, NULL}};
    static const char *const devpts[][2] = {
        {"ptmxmode", "0666"}, {"mode", "0600"}, {"max", TERMINALS_MAX}, {NULL, NULL}};
    static const struct {
        const char *type;
        const char *const (*options)[2];
        unsigned without; /* restrictions that would be in the way */
    } types[] = {
        [HEEL_MOUNT_PROC] = {"proc", none, MOUNT_ATTR_RDONLY},
        [HEEL_MOUNT_SYSFS] = {"sysfs", none, 0},
        [HEEL_MOUNT_DEVPTS] = {"devpts", devpts, 0},
        [HEEL_MOUNT_MQUEUE] = {"mqueue", none, 0},
    };
    const struct heel_mount *mount = &builder->plan->mounts[index];
    heel_autoclose int tree =
        heel_mounts_new_filesystem(types[mount->kind].type, types[mount->kind].options,
                                   attributes_of(mount) & ~types[mount->kind].without);

    if (tree < 0 && (mount->flags & HEEL_MOUNT_OPTIONAL) && errno == EPERM)
        return heel_mounts_make_place(builder->root, mount->target, true, 0755);
    if (tree < 0 || attach(builder, tree, mount->target, true, 0755) < 0)
        return fail(mount, "mount", err);
    return 0;
}

/* A new file system for scratch space alone has what it needs of modes and attributes. */
static int open_scratch(const struct heel_mount_builder *builder, const struct heel_mount *mount)
{
    bool fresh = builder->scratch != builder->root && (mount->flags & HEEL_MOUNT_WRITABLE);
    const char *source = relative(mount->source);
    heel_autoclose int tree = -1;

    if (heel_mounts_make_place(builder->scratch, mount->source, true, mount->mode) < 0 ||
        (!fresh && fchmodat(builder->scratch, source, mount->mode, 0) < 0))
        return -1;
    tree = heel_open_tree(builder->scratch, source, AT_SYMLINK_NOFOLLOW);
    if (tree < 0 ||
        (!fresh && heel_mount_set(tree, 0, attributes_of(mount),
                                  mount->flags & HEEL_MOUNT_WRITABLE ? MOUNT_ATTR_RDONLY : 0) < 0))
        return -1;
    return heel_steal_fd(&tree);
}

static int do_scratch(struct heel_mount_builder *builder, size_t index, struct heel_error **err)
{
    const struct heel_mount *mount = &builder->plan->mounts[index];
    heel_autoclose int tree = open_scratch(builder, mount);

    if (tree < 0)
        return fail(mount, "make room for", err);
    if (attach(builder, tree, mount->target, true, 0755) < 0 &&
        !(mount->flags & HEEL_MOUNT_OPTIONAL))
        return fail(mount, "mount", err);
    return 0;
}

/* What covers things is cloned from a mount that has all the restrictions, so that each cover need
 * not be given them. */
static int make_covers(struct heel_mount_builder *builder, struct heel_error **err)
{
    const struct heel_mount *root = &builder->plan->mounts[0];
    heel_autoclose int tree = -1;

    if (mkdirat(builder->root, HEEL_COVERS, 0711) < 0)
        return fail(root, "make masks in", err);
    builder->covers_directory =
        openat(builder->root, HEEL_COVERS, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (builder->covers_directory < 0 || mkdirat(builder->covers_directory, "directory", 0) < 0 ||
        mknodat(builder->covers_directory, "file", S_IFREG, 0) < 0)
        return fail(root, "make masks in", err);
    tree = heel_open_tree(builder->root, HEEL_COVERS, 0);
    if (tree < 0 || heel_mount_set(tree, 0, FOLDED | MOUNT_ATTR_NOEXEC, 0) < 0 ||
        heel_move_mount(tree, builder->root, HEEL_COVERS) < 0)
        return fail(root, "make masks in", err);
    return 0;
}

/* Mounts the cover called `name` on `place`. */
static int cover(struct heel_mount_builder *builder, const char *name, int place)
{
    char path[64];
    heel_autoclose int tree = -1;

    snprintf(path, sizeof(path), HEEL_COVERS "/%s", name);
    tree = heel_open_tree(builder->root, path, 0);
    return tree < 0 ? -1 : heel_move_mount(tree, place, "");
}

/* Masks of DENY rules and mounts that protect a repository are pinned: they fail if another file is
 * there now. */
static bool is_pinned_elsewhere(const struct heel_mount *mount, const struct stat *status)
{
    return mount->inode != 0 && (status->st_ino != mount->inode || status->st_dev != mount->device);
}

static int do_mask(struct heel_mount_builder *builder, size_t index, struct heel_error **err)
{
    const struct heel_mount *mount = &builder->plan->mounts[index];
    heel_autoclose int place = open_target(builder->root, mount->target);
    struct stat status;

    if (place < 0 && (mount->flags & HEEL_MOUNT_OPTIONAL) && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (place < 0 || fstat(place, &status) < 0)
        return fail(mount, "hide", err);
    if (is_pinned_elsewhere(mount, &status)) {
        errno = ESTALE;
        return fail(mount, "hide what was swapped meanwhile for", err);
    }
    if (cover(builder, S_ISDIR(status.st_mode) ? "directory" : "file", place) < 0)
        return fail(mount, "hide", err);
    return 0;
}

/* What lies at the target becomes a mount of its own there, read-only or merely pinned. It works on
 * symbolic links, too: they can't be replaced then. */
static int do_over_itself(struct heel_mount_builder *builder, size_t index, struct heel_error **err)
{
    const struct heel_mount *mount = &builder->plan->mounts[index];
    uint64_t attributes = FOLDED | (mount->flags & HEEL_MOUNT_EXECUTABLE ? 0 : MOUNT_ATTR_NOEXEC);
    heel_autoclose int place = open_target(builder->root, mount->target);
    heel_autoclose int tree = -1;
    struct stat status;

    if (place < 0 || fstat(place, &status) < 0)
        return fail(mount, "protect", err);
    if (is_pinned_elsewhere(mount, &status)) {
        errno = ESTALE;
        return fail(mount, "protect what was swapped meanwhile for", err);
    }
    tree = heel_open_tree(place, "", AT_RECURSIVE | AT_EMPTY_PATH);
    if (tree < 0 ||
        (mount->kind == HEEL_MOUNT_READ_ONLY &&
         heel_mount_set(tree, AT_RECURSIVE, attributes, 0) < 0) ||
        heel_move_mount(tree, place, "") < 0)
        return fail(mount, "protect", err);
    return 0;
}

static int do_dir(struct heel_mount_builder *builder, size_t index, struct heel_error **err)
{
    const struct heel_mount *mount = &builder->plan->mounts[index];

    if (heel_mounts_make_place(builder->root, mount->target, true, mount->mode) < 0)
        return fail(mount, "make", err);
    return 0;
}

static int do_symlink(struct heel_mount_builder *builder, size_t index, struct heel_error **err)
{
    const struct heel_mount *mount = &builder->plan->mounts[index];
    const char *path = relative(mount->target);
    int made = symlinkat(mount->source, builder->root, path);

    if (made < 0 && errno == ENOENT && make_parents(builder->root, path, 0755) == 0)
        made = symlinkat(mount->source, builder->root, path);
    /* What is there already came with a folder that the caller named. */
    if (made < 0 && errno != EEXIST && !(mount->flags & HEEL_MOUNT_OPTIONAL))
        return fail(mount, "make the link", err);
    return 0;
}

static int write_file(int root, const char *path, const struct heel_mount *mount)
{
    size_t length = strlen(mount->source);
    heel_autoclose int fd = -1;

    for (int attempt = 0; attempt < 2 && fd < 0; attempt++) {
        fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mount->mode);
        if (fd < 0 && (errno != ENOENT || make_parents(root, path, 0755) < 0))
            return -1;
    }
    if (fd < 0)
        return -1;
    return length == 0 || write(fd, mount->source, length) == (ssize_t)length ? 0 : -1;
}

/* In the new root's own directories the file is simply made; where the host's are bound it covers
 * what is there. */
static int do_file(struct heel_mount_builder *builder, size_t index, struct heel_error **err)
{
    const struct heel_mount *mount = &builder->plan->mounts[index];
    heel_autoclose int place = open_target(builder->root, mount->target);
    char name[16];

    if (place < 0) {
        if (write_file(builder->root, relative(mount->target), mount) == 0 ||
            ((mount->flags & HEEL_MOUNT_OPTIONAL) &&
             (errno == EROFS || errno == EACCES || errno == ELOOP || errno == EEXIST)))
            return 0;
        return fail(mount, "write", err);
    }
    snprintf(name, sizeof(name), "%u", builder->covers++);
    if (write_file(builder->covers_directory, name, mount) < 0)
        return fail(mount, "write", err);
    if (cover(builder, name, place) < 0)
        return fail(mount, "cover", err);
    return 0;
}

/* ---- all together ---- */

int heel_mounts_make_root(struct heel_mount_builder *builder, struct heel_error **err)
{
    const struct heel_mount *root = &builder->plan->mounts[0];
    char size[32], inodes[32];
    const char *const options[][2] = {
        {"size", size}, {"nr_inodes", inodes}, {"mode", "0755"}, {NULL, NULL}};

    snprintf(size, sizeof(size), "%llu", (unsigned long long)root->size_bytes);
    snprintf(inodes, sizeof(inodes), "%llu", (unsigned long long)root->inodes);
    /* What is mounted or unmounted here must not show outside. */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return fail(root, "separate", err);
    builder->root =
        heel_mounts_new_filesystem("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    if (builder->root < 0 || heel_move_mount(builder->root, AT_FDCWD, "/") < 0)
        return fail(root, "mount", err);
    builder->scratch = builder->root;
    return make_covers(builder, err);
}

/* What the system shows read-only: none of it lies in another mount, and one call restricts it all.
 */
static bool is_base(const struct heel_mount *mount)
{
    return mount->kind == HEEL_MOUNT_BIND && mount->flags == HEEL_MOUNT_BASE;
}

static int attach_base(struct heel_mount_builder *builder, const struct heel_mount *mount,
                       struct heel_error **err)
{
    heel_autoclose int tree = open_plain(mount);
    struct stat status;

    if (tree < 0 && (errno == ENOENT || errno == EACCES))
        return 0;
    if (tree < 0 || fstat(tree, &status) < 0)
        return fail(mount, "open", err);
    if (heel_mounts_make_place(builder->root, mount->target, S_ISDIR(status.st_mode), 0755) < 0 ||
        heel_move_mount(tree, builder->root, relative(mount->target)) < 0)
        return fail(mount, "mount", err);
    return 0;
}

int heel_mounts_make_base(struct heel_mount_builder *builder, struct heel_error **err)
{
    const struct heel_plan *plan = builder->plan;

    for (size_t i = 1; i < plan->mount_count; i++)
        if (is_base(&plan->mounts[i]) && attach_base(builder, &plan->mounts[i], err) < 0)
            return -1;
    if (heel_mount_set(builder->root, AT_RECURSIVE, FOLDED, 0) < 0 ||
        heel_mount_set(builder->root, 0, 0, MOUNT_ATTR_RDONLY) < 0)
        return fail(&plan->mounts[0], "restrict", err);
    return 0;
}

int heel_mounts_make_rest(struct heel_mount_builder *builder, struct heel_error **err)
{
    static int (*const operations[])(struct heel_mount_builder *, size_t, struct heel_error **) = {
        [HEEL_MOUNT_BIND] = do_bind,  [HEEL_MOUNT_SCRATCH] = do_scratch,
        [HEEL_MOUNT_PROC] = do_new,   [HEEL_MOUNT_SYSFS] = do_new,
        [HEEL_MOUNT_DEVPTS] = do_new, [HEEL_MOUNT_MQUEUE] = do_new,
        [HEEL_MOUNT_MASK] = do_mask,  [HEEL_MOUNT_READ_ONLY] = do_over_itself,
        [HEEL_MOUNT_DIR] = do_dir,    [HEEL_MOUNT_SYMLINK] = do_symlink,
        [HEEL_MOUNT_FILE] = do_file,  [HEEL_MOUNT_PIN] = do_over_itself,
    };

    for (size_t i = 1; i < builder->plan->mount_count; i++) {
        const struct heel_mount *mount = &builder->plan->mounts[i];

        if (mount->kind >= HEEL_ARRAY_LENGTH(operations) || !operations[mount->kind])
            return heel_error_set(err, HEEL_INTERNAL, "INTERNAL", "no such mount operation: %d",
                                  mount->kind);
        if (is_base(mount) || (builder->wanted && !builder->wanted(builder->plan, mount)))
            continue;
        if (operations[mount->kind](builder, i, err) < 0)
            return -1;
    }
    return 0;
}

/* The new root, on top of the old one so far, takes its place; the old one goes, and with it the
 * last way to the host. */
int heel_mounts_enter_root(struct heel_mount_builder *builder, struct heel_error **err)
{
    const struct heel_mount *root = &builder->plan->mounts[0];

    if (heel_mount_set(builder->root, 0, MOUNT_ATTR_RDONLY, 0) < 0 || fchdir(builder->root) < 0)
        return fail(root, "enter", err);
    if (syscall(SYS_pivot_root, ".", ".") == 0) {
        if (umount2(".", MNT_DETACH) < 0)
            return fail(root, "leave the host for", err);
    } else if (errno != EINVAL || chroot(".") < 0) {
        /* EINVAL: the host runs from its initial ramfs, which can't be moved. There the new root
         * lies on top of it for good, and nobody inside has the capability to look below. */
        return fail(root, "enter", err);
    }
    return chdir("/") < 0 ? fail(root, "enter", err) : 0;
}

int heel_confine_mounts(const struct heel_plan *plan, const int *mount_fds, struct heel_error **err)
{
    struct heel_mount_builder builder = {
        .plan = plan, .mount_fds = mount_fds, .root = -1, .works = -1, .covers_directory = -1};
    mode_t mask = umask(0);
    int result = -1;

    if (plan->mount_count == 0 || plan->mounts[0].kind != HEEL_MOUNT_TMPFS)
        heel_error_set(err, HEEL_INTERNAL, "INTERNAL", "a plan begins with its root");
    else if (heel_mounts_make_root(&builder, err) == 0 &&
             heel_mounts_make_base(&builder, err) == 0 && heel_mounts_make_rest(&builder, err) == 0)
        result = heel_mounts_enter_root(&builder, err);
    if (builder.covers_directory >= 0)
        close(builder.covers_directory);
    if (builder.root >= 0)
        close(builder.root);
    umask(mask);
    return result;
}

/* Whether the mount that was made there last, a mask or a read-only one, is still the topmost. */
static bool is_done(int root, const struct heel_mount *mount)
{
    heel_autoclose int place = open_target(root, mount->target);
    heel_autoclose int covers = openat(root, HEEL_COVERS, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat status, cover;
    struct statvfs view;

    if (place < 0)
        return errno == ENOENT; /* nothing there, nothing to cover */
    if (fstat(place, &status) < 0 || fstat(covers, &cover) < 0 || fstatvfs(place, &view) < 0)
        return false;
    return mount->kind == HEEL_MOUNT_MASK ? status.st_dev == cover.st_dev
                                          : (view.f_flag & ST_RDONLY) != 0;
}

int heel_confine_again(const struct heel_mount *mount, struct heel_error **err)
{
    struct heel_mount again = *mount;
    const struct heel_plan plan = {.mounts = &again, .mount_count = 1};
    heel_autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct heel_mount_builder builder = {
        .plan = &plan, .root = root, .works = -1, .covers_directory = -1};

    again.device = again.inode = 0; /* the file that was pinned has been replaced */
    if (is_done(root, &again))
        return 0;
    return again.kind == HEEL_MOUNT_MASK ? do_mask(&builder, 0, err)
                                         : do_over_itself(&builder, 0, err);
}
