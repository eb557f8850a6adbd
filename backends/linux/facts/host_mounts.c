#include "backends/linux/facts/host_mounts.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "backends/linux/facts/paths.h"
#include "base/text.h"

/* ---- the kernel's list ---- */

static bool is_octal(const char *text)
{
    return text[0] >= '0' && text[0] <= '3' && text[1] >= '0' && text[1] <= '7' && text[2] >= '0' &&
           text[2] <= '7';
}

/* A field without the kernel's \040 and its like; the caller's. */
static char *unescape(const char *text, size_t length)
{
    char *plain = heel_xmalloc(length + 1);
    size_t to = 0;

    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\\' && i + 3 < length && is_octal(text + i + 1)) {
            plain[to++] =
                (char)((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0');
            i += 3;
        } else {
            plain[to++] = text[i];
        }
    }
    plain[to] = '\0';
    return plain;
}

/* The next field of a line, or NULL at its end. */
static char *next_field(const char **line)
{
    size_t skip = strspn(*line, " "), length = strcspn(*line + skip, " \n");
    const char *field = *line + skip;

    *line = field + length;
    return length ? unescape(field, length) : NULL;
}

static void clear_mount(struct heel_host_mount *mount)
{
    free(mount->point);
    free(mount->root);
    free(mount->device);
    free(mount->type);
}

/* "36 35 98:0 /root /point options [optional...] - type source options" */
static bool parse_line(const char *line, struct heel_host_mount *mount)
{
    heel_autofree char *id = next_field(&line), *parent = next_field(&line), *field = NULL;

    mount->device = next_field(&line);
    mount->root = next_field(&line);
    mount->point = next_field(&line);
    while ((field = next_field(&line)) && strcmp(field, "-") != 0)
        free(heel_steal(field));
    mount->type = next_field(&line);
    return mount->type && mount->point[0] == '/' && mount->root[0] == '/';
}

static int compare_points(const void *a, const void *b)
{
    const struct heel_host_mount *left = a, *right = b;
    int points = strcmp(left->point, right->point);

    return points ? points : left->order < right->order ? -1 : left->order > right->order;
}

/* Of several mounts on one point only the last is visible. */
static void drop_covered(struct heel_host_mounts *mounts)
{
    size_t kept = 0;

    if (mounts->count)
        qsort(mounts->items, mounts->count, sizeof(*mounts->items), compare_points);
    for (size_t i = 0; i < mounts->count; i++) {
        if (i + 1 < mounts->count &&
            strcmp(mounts->items[i].point, mounts->items[i + 1].point) == 0)
            clear_mount(&mounts->items[i]);
        else
            mounts->items[kept++] = mounts->items[i];
    }
    mounts->count = kept;
}

static int compare_devices(const void *a, const void *b)
{
    const struct heel_host_mount *const *left = a, *const *right = b;

    return strcmp((*left)->device, (*right)->device);
}

static void find_twice(struct heel_host_mounts *mounts)
{
    heel_autofree struct heel_host_mount **sorted = heel_xcalloc(mounts->count, sizeof *sorted);

    for (size_t i = 0; i < mounts->count; i++)
        sorted[i] = &mounts->items[i];
    if (mounts->count)
        qsort(sorted, mounts->count, sizeof *sorted, compare_devices);
    for (size_t i = 1; i < mounts->count; i++)
        if (compare_devices(&sorted[i - 1], &sorted[i]) == 0)
            sorted[i - 1]->twice = sorted[i]->twice = true;
}

struct heel_host_mounts *heel_host_mounts_parse(const char *text)
{
    struct heel_host_mounts *mounts = heel_xcalloc(1, sizeof(*mounts));

    for (const char *line = text; *line;) {
        struct heel_host_mount mount = {0};

        mounts->items = heel_xrealloc(mounts->items, mounts->count + 1, sizeof(*mounts->items));
        mount.order = mounts->count;
        if (parse_line(line, &mount))
            mounts->items[mounts->count++] = mount;
        else
            clear_mount(&mount);
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    drop_covered(mounts);
    find_twice(mounts);
    return heel_host_mounts_hold(mounts);
}

struct heel_host_mounts *heel_host_mounts_hold(struct heel_host_mounts *mounts)
{
    if (mounts)
        mounts->holders++;
    return mounts;
}

void heel_host_mounts_release(struct heel_host_mounts *mounts)
{
    if (!mounts || --mounts->holders > 0)
        return;
    for (size_t i = 0; i < mounts->count; i++)
        clear_mount(&mounts->items[i]);
    free(mounts->items);
    free(mounts);
}

/* ---- where else ---- */

/* What of `path` lies below `directory`, "" or with a slash first. */
static const char *rest_of(const char *path, const char *directory)
{
    return strcmp(directory, "/") == 0 ? (strcmp(path, "/") == 0 ? "" : path)
                                       : path + strlen(directory);
}

static char *join(const char *directory, const char *rest)
{
    return heel_format("%s%s", strcmp(directory, "/") == 0 && rest[0] ? "" : directory, rest);
}

/* The mount that `path` lies on, or count. */
static size_t mount_of(const struct heel_host_mounts *mounts, const char *path)
{
    size_t found = mounts->count;

    for (size_t i = 0; i < mounts->count; i++)
        if (heel_path_is_at_or_below(path, mounts->items[i].point) &&
            (found == mounts->count ||
             strlen(mounts->items[i].point) > strlen(mounts->items[found].point)))
            found = i;
    return found;
}

/* The path at which `mount` shows `place`, a path inside its file system, or the mount point if it
 * shows a part of it; NULL if neither. The caller's to free. */
static char *seen_through(const struct heel_host_mount *mount, const char *place)
{
    if (heel_path_is_at_or_below(place, mount->root))
        return join(mount->point, rest_of(place, mount->root));
    if (heel_path_is_at_or_below(mount->root, place))
        return heel_xstrdup(mount->point);
    return NULL;
}

char **heel_host_mounts_aliases(const struct heel_host_mounts *mounts, const char *path)
{
    size_t own = mounts ? mount_of(mounts, path) : 0, count = 0;
    heel_autofree char *place = NULL;
    char **paths = NULL;

    if (!mounts || own == mounts->count || !mounts->items[own].twice)
        return NULL;
    place = join(mounts->items[own].root, rest_of(path, mounts->items[own].point));
    for (size_t i = 0; i < mounts->count; i++) {
        char *alias = i == own || strcmp(mounts->items[i].device, mounts->items[own].device) != 0
                          ? NULL
                          : seen_through(&mounts->items[i], place);

        if (!alias || heel_path_is_at_or_below(alias, path)) {
            free(alias);
            continue;
        }
        paths = heel_xrealloc(paths, count + 2, sizeof(*paths));
        paths[count++] = alias;
        paths[count] = NULL;
    }
    return paths;
}

void heel_host_mounts_free_paths(char **paths)
{
    for (size_t i = 0; paths && paths[i]; i++)
        free(paths[i]);
    free(paths);
}

bool heel_host_mount_is_kernels(const struct heel_host_mount *mount)
{
    static const char *const types[] = {
        "proc",    "sysfs",    "cgroup",   "cgroup2",   "securityfs", "debugfs",
        "tracefs", "efivarfs", "configfs", "selinuxfs", "smackfs",    "apparmorfs",
        "bpf",     "pstore",   "devtmpfs", "devpts",    "mqueue",     "binfmt_misc",
        "fusectl", "resctrl",  "nfsd",     "binder",    "rpc_pipefs", "nsfs"};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(types); i++)
        if (strcmp(types[i], mount->type) == 0)
            return true;
    return false;
}

/* ---- the present state ---- */

/* NULL where it can't be read. */
static struct heel_host_mounts *read_mounts(int fd)
{
    heel_autobuffer struct heel_buffer text = {0};
    ssize_t length;

    if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return NULL;
    while ((length = read(fd, heel_buffer_reserve(&text, 16384), 16384)) > 0)
        text.length += (size_t)length;
    if (length < 0 || text.length == 0)
        return NULL;
    heel_buffer_append(&text, "", 1);
    return heel_host_mounts_parse(text.data);
}

void heel_mount_watch_open(struct heel_mount_watch *watch)
{
    watch->fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    watch->latest = read_mounts(watch->fd);
}

struct heel_host_mounts *heel_mount_watch_latest(struct heel_mount_watch *watch)
{
    struct pollfd event = {watch->fd, POLLPRI, 0};

    if (watch->fd < 0 || poll(&event, 1, 0) == 0) /* which is told once */
        return watch->latest;
    heel_host_mounts_release(watch->latest);
    watch->latest = read_mounts(watch->fd);
    return watch->latest;
}

void heel_mount_watch_close(struct heel_mount_watch *watch)
{
    if (watch->fd >= 0)
        close(heel_steal_fd(&watch->fd));
    heel_host_mounts_release(heel_steal(watch->latest));
}
