/* As root: brings what a caller named, and heel's own folders, into a sandbox that runs under
 * another uid and could not open them by path. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "backends/linux/confine/confine.h"
#include "backends/linux/facts/caller_path.h"
#include "backends/linux/kernel/mount_calls.h"

static int fail(const struct heel_mount *mount, const char *what, struct heel_error **err)
{
    int saved = errno;

    return heel_error_set(err, HEEL_FAILED_PRECONDITION, "SETUP_FAILED",
                          "can't %s \"%s\" for the sandbox: %s", what, mount->source,
                          strerror(saved));
}

static int write_file(const char *path, const char *text)
{
    heel_autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ? -1 : 0;
}

/* Root's files belong to the sandbox inside, and what the sandbox makes belongs to root outside;
 * all other ids stay as they are. */
static int write_maps(pid_t pid, uid_t uid, gid_t gid)
{
    const struct {
        const char *file;
        unsigned id;
    } maps[] = {{"uid_map", uid}, {"gid_map", gid}};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(maps); i++) {
        heel_autofree char *path = heel_format("/proc/%d/%s", pid, maps[i].file);
        heel_autofree char *text =
            heel_format("0 %u 1\n1 1 %u\n%u %u %u\n", maps[i].id, maps[i].id - 1, maps[i].id + 1,
                        maps[i].id + 1, UINT32_MAX - 1 - maps[i].id);

        if (write_file(path, text) < 0)
            return -1;
    }
    return 0;
}

/* A user namespace to map a mount with, held by a child for as long as it takes to open it. The
 * descriptor, or -1 and errno. */
static int open_mapping(uid_t uid, gid_t gid)
{
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    char path[64];
    int fd = -1, saved;

    if (pid == 0)
        for (;;)
            pause();
    if (pid < 0)
        return -1;
    snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
    if (write_maps(pid, uid, gid) == 0)
        fd = open(path, O_RDONLY | O_CLOEXEC);
    saved = errno;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    errno = saved;
    return fd;
}

/* Whether the mount works without an id mapping: it is only read, or everybody may write to it.
 */
static bool is_open_to_all(int tree, const struct heel_mount *mount)
{
    struct stat status;

    return !(mount->flags & HEEL_MOUNT_WRITABLE) ||
           (fstat(tree, &status) == 0 && (status.st_mode & S_IWOTH));
}

/* On a file system that can't map ids (overlayfs) a mount that is_open_to_all() is used as it is;
 * root's private files in it stay out of reach. Any other is an error. */
static int map_owner(int tree, const struct heel_mount *mount, int mapping, struct heel_error **err)
{
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_IDMAP,
                                    .userns_fd = (__u64)(unsigned)mapping};

    if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes,
                sizeof(attributes)) == 0)
        return 0;
    if (errno != EINVAL && errno != EPERM)
        return fail(mount, "map the owner of", err);
    if (is_open_to_all(tree, mount))
        return 0;
    return heel_error_set(err, HEEL_FAILED_PRECONDITION, "SETUP_FAILED",
                          "\"%s\" lies on a file system that can't lend root's files to a sandbox "
                          "(no id-mapped mounts: %s); let the sandbox run as the owner of "
                          "what it is to write (run_as; heelcli: --run-as), name a directory on "
                          "another file system or one that everybody may write to, or let the "
                          "sandbox have a working directory of its own",
                          mount->source, strerror(errno));
}

/* With the rights that this thread has now. What a caller named is found again without following
 * links, and must be what the plan was made for. */
static int open_checked(const struct heel_mount *mount, struct heel_error **err)
{
    uint64_t resolve =
        mount->flags & HEEL_MOUNT_NAMED ? RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS : 0;
    heel_autoclose int fd = heel_openat2(AT_FDCWD, mount->source, O_PATH | O_NOFOLLOW, resolve);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0)
        return fail(mount, "open", err);
    if ((mount->flags & HEEL_MOUNT_NAMED) &&
        (status.st_dev != mount->device || status.st_ino != mount->inode)) {
        errno = ESTALE;
        return fail(mount, "use what was swapped meanwhile for", err);
    }
    return heel_steal_fd(&fd);
}

static int bring(const struct heel_mount *mount, const struct heel_caller *caller, int mapping,
                 struct heel_error **err)
{
    heel_autoclose int fd = -1, tree = -1;
    struct heel_saved_identity saved = {0};

    if ((mount->flags & HEEL_MOUNT_NAMED) && heel_caller_assume(caller, &saved, err) < 0)
        return -1;
    fd = open_checked(mount, err);
    heel_caller_restore(&saved);
    if (fd < 0)
        return -1;
    tree = heel_open_tree(fd, "", AT_EMPTY_PATH | AT_RECURSIVE);
    if (tree < 0)
        return fail(mount, "clone the mount of", err);
    if ((mount->flags & HEEL_MOUNT_NAMED) && mapping >= 0 &&
        map_owner(tree, mount, mapping, err) < 0)
        return -1;
    return heel_steal_fd(&tree);
}

static bool is_brought(const struct heel_mount *mount)
{
    return mount->kind == HEEL_MOUNT_BIND && (mount->flags & (HEEL_MOUNT_NAMED | HEEL_MOUNT_OWN));
}

int heel_confine_open_named(const struct heel_plan *plan, const struct heel_caller *caller,
                            int *mount_fds, struct heel_error **err)
{
    heel_autoclose int mapping = -1;

    for (size_t i = 0; i < plan->mount_count; i++)
        mount_fds[i] = -1;
    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct heel_mount *mount = &plan->mounts[i];

        if (!is_brought(mount))
            continue;
        if ((mount->flags & HEEL_MOUNT_NAMED) && caller->uid == 0 && plan->uid != 0 &&
            mapping < 0) {
            mapping = open_mapping(plan->uid, plan->gid);
            if (mapping < 0)
                return heel_error_set_errno(err, errno,
                                            "can't make a user namespace to map root's files with");
        }
        mount_fds[i] = bring(mount, caller, mapping, err);
        if (mount_fds[i] < 0)
            return -1;
    }
    return 0;
}
