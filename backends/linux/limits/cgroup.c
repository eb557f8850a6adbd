#include "backends/linux/limits/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/linux/limits/limits.h"
#include "base/text.h"

#define CONTROLLERS "+memory +pids +cpu"
#define ASIDE "heel-server" /* heeld and the launcher, and sandboxes without limits */
#define BELOW_ROOT "heel"   /* at the root of the tree, which is everybody's */
#define PERIOD_US 100000    /* within which a share of the processors is counted */
#define FILE_BYTES 8192

static int write_text(int directory, const char *file, const char *text)
{
    heel_autoclose int fd = openat(directory, file, O_WRONLY | O_CLOEXEC);
    size_t length = strlen(text);

    return fd >= 0 && write(fd, text, length) == (ssize_t)length ? 0 : -1;
}

static int write_number(int directory, const char *file, uint64_t number)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRIu64, number);
    return write_text(directory, file, text);
}

static int open_directory(int parent, const char *path)
{
    return openat(parent, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int make_directory(int parent, const char *name)
{
    if (mkdirat(parent, name, 0755) && errno != EEXIST)
        return -1;
    return open_directory(parent, name);
}

/* ---- the part that is heeld's ---- */

static int refuse(struct heel_cgroups *cgroups, char *why)
{
    cgroups->why = why;
    return -1;
}

/* The root has no type: nothing limits it, so it may have processes as well. */
static bool is_root(int directory)
{
    return faccessat(directory, "cgroup.type", F_OK, 0) != 0;
}

/* "0::/path" in what /proc/self/cgroup says; the caller's, or NULL. */
static char *path_of(const char *root, const char *own)
{
    const char *line = heel_starts_with(own, "0::") ? own : strstr(own, "\n0::");

    if (!line)
        return NULL;
    line = strchr(line, '/');
    return line ? heel_format("%s%.*s", root, (int)strcspn(line, "\n"), line) : NULL;
}

static int move_both(int directory, pid_t self, pid_t parent)
{
    return write_number(directory, "cgroup.procs", (uint64_t)parent) ||
                   write_number(directory, "cgroup.procs", (uint64_t)self)
               ? -1
               : 0;
}

/* If other processes are in it the kernel refuses to enable the controllers; then both processes
 * are moved back. */
static int clear_and_enable(int base, pid_t self, pid_t parent)
{
    heel_autoclose int aside = make_directory(base, ASIDE);
    int why;

    if (aside < 0)
        return -1;
    if (move_both(aside, self, parent) == 0 &&
        write_text(base, "cgroup.subtree_control", CONTROLLERS) == 0)
        return 0;
    why = errno;
    move_both(base, self, parent);
    unlinkat(base, ASIDE, AT_REMOVEDIR);
    errno = why;
    return -1;
}

static int enable_below_root(int *base)
{
    int below = make_directory(*base, BELOW_ROOT);

    if (below < 0)
        return -1;
    if (write_text(*base, "cgroup.subtree_control", CONTROLLERS) ||
        write_text(below, "cgroup.subtree_control", CONTROLLERS)) {
        close(below);
        return -1;
    }
    close(*base);
    *base = below;
    return 0;
}

static int find(const char *root, const char *own, pid_t self, pid_t parent,
                struct heel_cgroups *cgroups)
{
    heel_autofree char *path = path_of(root, own);
    heel_autoclose int base = path ? open_directory(AT_FDCWD, path) : -1;
    int result;

    if (base < 0 || faccessat(base, "cgroup.subtree_control", F_OK, 0))
        return refuse(cgroups, heel_format("no cgroup v2 at %s", root));
    result = is_root(base) ? enable_below_root(&base) : clear_and_enable(base, self, parent);
    if (result && errno == EBUSY)
        return refuse(cgroups, heel_format("other processes are in its cgroup %s", path));
    if (result && errno == ENOENT)
        return refuse(cgroups, heel_format("cgroup %s lacks controllers", path));
    if (result)
        return refuse(cgroups, heel_format("cgroup %s: %s", path, strerror(errno)));
    cgroups->base = heel_steal_fd(&base);
    return 0;
}

/* Removes the groups of a launcher that was killed together with its heeld. rmdir refuses a group
 * with processes in it. */
static void sweep(int base)
{
    int copy = openat(base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    int launcher;
    uint32_t id;

    if (!stream) {
        if (copy >= 0)
            close(copy);
        return;
    }
    for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream))
        if (sscanf(entry->d_name, "heel-%d-%" SCNu32, &launcher, &id) == 2 && launcher > 0 &&
            kill(launcher, 0) && errno == ESRCH)
            unlinkat(base, entry->d_name, AT_REMOVEDIR);
    closedir(stream);
}

void heel_cgroups_open(const char *root, const char *own, pid_t self, pid_t parent,
                       struct heel_cgroups *cgroups)
{
    *cgroups = (struct heel_cgroups){.base = -1};
    if (find(root, own, self, parent, cgroups) == 0)
        sweep(cgroups->base);
}

void heel_cgroups_close(struct heel_cgroups *cgroups)
{
    if (cgroups->base >= 0)
        close(cgroups->base);
    free(cgroups->why);
    *cgroups = (struct heel_cgroups){.base = -1};
}

/* ---- groups ---- */

bool heel_cgroup_is_wanted(const struct heel_limits *limits)
{
    return limits->memory_bytes > 0 || limits->cpu_time_us > 0 || limits->cpu_share_milli > 0 ||
           limits->max_processes > 0;
}

/* Several servers may share the root of the tree. */
static void name_of(uint32_t id, char *name, size_t size)
{
    snprintf(name, size, "heel-%d-%" PRIu32, (int)getpid(), id);
}

/* There is no swap file where a kernel has no swap. */
static int set_limits(int group, const struct heel_limits *limits)
{
    char share[48];

    snprintf(share, sizeof share, "%" PRIu64 " %d", limits->cpu_share_milli * PERIOD_US / 1000,
             PERIOD_US);
    if (limits->memory_bytes > 0 &&
        (write_number(group, "memory.max", limits->memory_bytes) ||
         (write_text(group, "memory.swap.max", "0") && errno != ENOENT)))
        return -1;
    if (limits->max_processes > 0 &&
        write_number(group, "pids.max", heel_limits_tasks(limits->max_processes)))
        return -1;
    return limits->cpu_share_milli > 0 ? write_text(group, "cpu.max", share) : 0;
}

int heel_cgroup_make(const struct heel_cgroups *cgroups, uint32_t id,
                     const struct heel_limits *limits)
{
    heel_autoclose int group = -1;
    char name[48];
    int why;

    name_of(id, name, sizeof name);
    if (mkdirat(cgroups->base, name, 0755))
        return -1;
    group = open_directory(cgroups->base, name);
    if (group >= 0 && set_limits(group, limits) == 0)
        return heel_steal_fd(&group);
    why = errno;
    unlinkat(cgroups->base, name, AT_REMOVEDIR);
    errno = why;
    return -1;
}

void heel_cgroup_remove(const struct heel_cgroups *cgroups, uint32_t id)
{
    char name[48];

    name_of(id, name, sizeof name);
    unlinkat(cgroups->base, name, AT_REMOVEDIR);
}

int heel_cgroup_open_door(int group)
{
    return openat(group, "cgroup.procs", O_WRONLY | O_CLOEXEC);
}

uint64_t heel_cgroup_read(int group, const char *file, const char *name)
{
    heel_autoclose int fd = openat(group, file, O_RDONLY | O_CLOEXEC);
    size_t name_length = strlen(name);
    char text[FILE_BYTES];
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (length <= 0)
        return 0;
    text[length] = '\0';
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (strncmp(line, name, name_length) == 0 && line[name_length] == ' ')
            return strtoull(line + name_length, NULL, 10);
    return 0;
}

void heel_cgroup_set_memory(int group, uint64_t bytes)
{
    write_number(group, "memory.max", bytes);
}
