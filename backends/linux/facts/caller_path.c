#include "backends/linux/facts/caller_path.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"

#define LINKS_MAX 40 /* the kernel's own limit */

/* ---- whose rights count ---- */

/* The system calls themselves, as glibc's setgroups() changes every thread. */
static int set_thread_groups(int count, const gid_t *groups)
{
    return (int)syscall(SYS_setgroups, count, groups);
}

/* Of this thread alone. */
static int get_capabilities(struct __user_cap_data_struct *data)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

    return (int)syscall(SYS_capget, &header, data);
}

static int set_capabilities(const struct __user_cap_data_struct *data)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

    return (int)syscall(SYS_capset, &header, data);
}

/* setfsuid() drops the capabilities that override permissions of files. But others have a say in
 * what can be looked at, CAP_SYS_PTRACE in where the links in /proc/PID lead: none may act. */
static int become(const struct heel_caller *caller, const struct heel_saved_identity *saved)
{
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];

    memcpy(none, saved->capabilities, sizeof none);
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(none); i++)
        none[i].effective = 0;
    setfsgid(caller->gid);
    setfsuid(caller->uid);
    if (setfsuid((uid_t)-1) != (int)caller->uid || setfsgid((gid_t)-1) != (int)caller->gid)
        return -1;
    return set_capabilities(none);
}

int heel_caller_assume(const struct heel_caller *caller, struct heel_saved_identity *saved,
                       struct heel_error **err)
{
    *saved = (struct heel_saved_identity){0};
    if (caller->uid == 0 || (geteuid() != 0 && caller->uid == geteuid()))
        return 0;
    if (geteuid() != 0)
        return heel_error_set(err, HEEL_PERMISSION_DENIED, "PATH_NOT_ACCESSIBLE",
                              "this heeld belongs to user %u and can't open paths for user %u",
                              geteuid(), caller->uid);
    saved->group_count = getgroups(0, NULL);
    if (saved->group_count > 0)
        saved->groups = heel_xcalloc((size_t)saved->group_count, sizeof(gid_t));
    saved->group_count = getgroups(saved->group_count, saved->groups);
    if (saved->group_count < 0 || get_capabilities(saved->capabilities) < 0 ||
        set_thread_groups((int)caller->group_count, caller->groups) < 0) {
        free(saved->groups);
        return heel_error_set_errno(err, errno, "can't take on the groups of user %u", caller->uid);
    }
    saved->changed = 1;
    if (become(caller, saved) < 0) {
        heel_caller_restore(saved);
        return heel_error_set(err, HEEL_INTERNAL, "INTERNAL",
                              "can't take on the identity of user %u", caller->uid);
    }
    return 0;
}

void heel_caller_restore(struct heel_saved_identity *saved)
{
    if (!saved->changed)
        return;
    if (set_capabilities(saved->capabilities) < 0)
        abort();
    setfsuid(geteuid());
    setfsgid(getegid());
    if (set_thread_groups(saved->group_count, saved->groups) < 0)
        abort(); /* going on with somebody else's groups would be worse */
    free(saved->groups);
    *saved = (struct heel_saved_identity){0};
}

/* ---- the walk ---- */

struct walk {
    const char *named; /* what the caller wrote */
    const struct heel_caller *caller;
    uid_t sandbox_uid;
    bool refuse_planted;
    int fd;     /* owned; where the walk stands */
    char *path; /* owned; the same as text, "" for the root */
    char *rest; /* owned; what is still to be walked */
    struct heel_caller_path *resolved;
};

static int refuse(const struct walk *walk, int system_errno, const char *what,
                  struct heel_error **err)
{
    bool missing = system_errno == ENOENT || system_errno == ENOTDIR;
    bool endless = system_errno == ELOOP || system_errno == ENAMETOOLONG;

    if (missing || endless)
        heel_error_set(
            err, HEEL_INVALID_ARGUMENT, "PATH_NOT_FOUND", "\"%s\" %s%s", walk->named,
            missing ? "does not exist" : "leads nowhere: ", missing ? "" : strerror(system_errno));
    else if (system_errno == EACCES || system_errno == EPERM)
        heel_error_set(err, HEEL_PERMISSION_DENIED, "PATH_NOT_ACCESSIBLE",
                       "\"%s\" can't be %s by user %u", walk->named, what, walk->caller->uid);
    else
        heel_error_set_errno(err, system_errno, "\"%s\"", walk->named);
    if (err && *err)
        heel_error_add_metadata(*err, "path", "%s", walk->named);
    return -1;
}

/* Whether code in a sandbox, this one or an earlier one, could have made the entries of this
 * directory. */
static bool can_be_planted_in(const struct walk *walk, int directory, const char *path)
{
    static const char *const system[] = {"/usr", "/etc", "/var", "/proc", "/sys"};
    struct stat status;

    if (fstat(directory, &status) < 0)
        return true;
    if ((status.st_mode & S_IWOTH) || status.st_uid == walk->sandbox_uid)
        return true;
    if (walk->caller->uid != 0)
        return faccessat(directory, "", W_OK, AT_EMPTY_PATH | AT_EACCESS) == 0;
    /* For root W_OK tells nothing: it may write anywhere, and may have let its sandboxes. The
     * system's own directories are taken to be root's alone. */
    if (path[0] == '\0')
        return false;
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(system); i++) {
        size_t length = strlen(system[i]);

        if (strncmp(path, system[i], length) == 0 && (path[length] == '\0' || path[length] == '/'))
            return false;
    }
    return true;
}

static int back_to_root(struct walk *walk, struct heel_error **err)
{
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (root < 0)
        return refuse(walk, errno, "opened", err);
    if (walk->fd >= 0)
        close(walk->fd);
    walk->fd = root;
    free(walk->path);
    walk->path = heel_xstrdup("");
    return 0;
}

static void note_link(struct walk *walk, const char *path, const char *text)
{
    struct heel_caller_path *resolved = walk->resolved;

    resolved->links =
        heel_xrealloc(resolved->links, resolved->link_count + 1, sizeof(*resolved->links));
    resolved->links[resolved->link_count++] =
        (struct heel_caller_link){.path = heel_xstrdup(path), .text = heel_xstrdup(text)};
}

static int follow(struct walk *walk, int link, const char *path, struct heel_error **err)
{
    char text[PATH_MAX];
    ssize_t length = readlinkat(link, "", text, sizeof(text) - 1);
    char *rest;

    if (length <= 0)
        return refuse(walk, length < 0 ? errno : ENOENT, "opened", err);
    text[length] = '\0';
    if (walk->resolved->link_count == LINKS_MAX)
        return refuse(walk, ELOOP, "opened", err);
    if (walk->refuse_planted && can_be_planted_in(walk, walk->fd, walk->path)) {
        heel_error_set(err, HEEL_PERMISSION_DENIED, "PATH_NOT_ACCESSIBLE",
                       "\"%s\" leads through the symbolic link \"%s\", which code in a sandbox "
                       "could have made; name the place "
                       "it leads to (\"%s\") instead if it is meant",
                       walk->named, path, text);
        if (err)
            heel_error_add_metadata(*err, "path", "%s", walk->named);
        return -1;
    }
    note_link(walk, path, text);
    rest = heel_format("%s/%s", text, walk->rest);
    free(walk->rest);
    walk->rest = rest;
    return text[0] == '/' ? back_to_root(walk, err) : 0;
}

static int enter(struct walk *walk, const char *name, struct heel_error **err)
{
    heel_autoclose int fd = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    heel_autofree char *path = NULL;
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0)
        return refuse(walk, errno, "opened", err);
    if (strcmp(name, "..") == 0) {
        char *slash = strrchr(walk->path, '/');

        if (slash)
            *slash = '\0';
        path = heel_xstrdup(walk->path);
    } else {
        path = heel_format("%s/%s", walk->path, name);
    }
    if (S_ISLNK(status.st_mode))
        return follow(walk, fd, path, err);
    close(walk->fd);
    walk->fd = heel_steal_fd(&fd);
    free(walk->path);
    walk->path = heel_steal(path);
    return 0;
}

static int walk_all(struct walk *walk, struct heel_error **err)
{
    while (walk->rest[0]) {
        size_t skip = strspn(walk->rest, "/");
        size_t length = strcspn(walk->rest + skip, "/");
        heel_autofree char *name = strndup(walk->rest + skip, length);

        memmove(walk->rest, walk->rest + skip + length, strlen(walk->rest + skip + length) + 1);
        if (length == 0 || strcmp(name, ".") == 0)
            continue;
        if (enter(walk, name, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- what it leads to ---- */

/* The first of what is wanted that the caller may not do. */
static const char *lacking(const struct walk *walk, int wanted)
{
    static const struct {
        int access;
        const char *what;
    } accesses[] = {{R_OK, "read"}, {W_OK, "written"}, {X_OK, "entered or executed"}};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(accesses); i++)
        if ((wanted & accesses[i].access) &&
            faccessat(walk->fd, "", accesses[i].access, AT_EMPTY_PATH | AT_EACCESS) < 0)
            return accesses[i].what;
    return "opened";
}

static int check_access(const struct walk *walk, unsigned access, struct heel_error **err)
{
    bool directory = S_ISDIR(walk->resolved->mode);
    int wanted = R_OK;

    if (access & HEEL_ACCESS_DENY)
        return 0;
    if (!directory && !S_ISREG(walk->resolved->mode)) {
        heel_error_set(
            err, HEEL_INVALID_ARGUMENT, "INVALID_FIELD",
            "\"%s\" is a device, socket or pipe; only directories and regular files can be granted",
            walk->named);
        return -1;
    }
    if (directory || (access & HEEL_ACCESS_EXECUTE))
        wanted |= X_OK;
    /* A working directory has all three, a file in it need not be executable. */
    if (access & HEEL_ACCESS_WRITE)
        wanted |= W_OK;
    if (faccessat(walk->fd, "", wanted, AT_EMPTY_PATH | AT_EACCESS) == 0)
        return 0;
    return refuse(walk, errno == EROFS ? EACCES : errno, lacking(walk, wanted), err);
}

static int resolve(struct walk *walk, unsigned access, struct heel_error **err)
{
    struct stat status;

    if (back_to_root(walk, err) < 0 || walk_all(walk, err) < 0)
        return -1;
    if (fstat(walk->fd, &status) < 0)
        return refuse(walk, errno, "opened", err);
    walk->resolved->device = status.st_dev;
    walk->resolved->inode = status.st_ino;
    walk->resolved->mode = status.st_mode;
    walk->resolved->path = walk->path[0] ? heel_steal(walk->path) : heel_xstrdup("/");
    return check_access(walk, access, err);
}

int heel_caller_path_resolve(const char *path, const struct heel_caller *caller, unsigned access,
                             uid_t sandbox_uid, struct heel_caller_path *resolved,
                             struct heel_error **err)
{
    struct walk walk = {
        .named = path,
        .caller = caller,
        .sandbox_uid = sandbox_uid,
        .refuse_planted = !(access & HEEL_ACCESS_DENY),
        .fd = -1,
        .resolved = resolved,
    };
    struct heel_saved_identity saved;
    int result;

    *resolved = (struct heel_caller_path){0};
    if (path[0] != '/')
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, "INVALID_FIELD",
                              "\"%s\" is not an absolute path", path);
    if (strlen(path) >= PATH_MAX)
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, "INVALID_FIELD",
                              "the path is longer than 4095 bytes");
    if (heel_caller_assume(caller, &saved, err) < 0)
        return -1;
    walk.rest = heel_xstrdup(path);
    result = resolve(&walk, access, err);
    heel_caller_restore(&saved);
    if (walk.fd >= 0)
        close(walk.fd);
    free(walk.path);
    free(walk.rest);
    return result;
}

void heel_caller_path_clear(struct heel_caller_path *resolved)
{
    for (size_t i = 0; i < resolved->link_count; i++) {
        free(resolved->links[i].path);
        free(resolved->links[i].text);
    }
    free(resolved->links);
    free(resolved->path);
    *resolved = (struct heel_caller_path){0};
}
