#include "backends/linux/limits/memory_use.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "backends/linux/limits/open_files.h"
#include "base/text.h"

#define BOUNDS_MAX 10
#define LINE_BYTES 4608 /* of /proc/PID/maps: a path and some numbers */

/* ---- the host ---- */

struct host {
    uint64_t shared; /* every tmpfs, memfd and shared segment there is */
    uint64_t swapped;
};

static struct host look_at_host(void)
{
    struct sysinfo info;

    if (sysinfo(&info))
        return (struct host){UINT64_MAX / 4, 0};
    return (struct host){(uint64_t)info.sharedram * info.mem_unit,
                         (uint64_t)(info.totalswap - info.freeswap) * info.mem_unit};
}

/* The kernel's own tmpfs, in which memfds, shared mappings and segments are; 0 if there is none. */
static dev_t shared_device(void)
{
    static dev_t device;
    struct stat status;

    if (device == 0) {
        heel_autoclose int fd = memfd_create("heel", MFD_CLOEXEC);

        if (fd >= 0 && fstat(fd, &status) == 0)
            device = status.st_dev;
    }
    return device;
}

/* ---- what has no process ---- */

static uint64_t scratch_bytes(const struct heel_vantage *vantage)
{
    struct statfs status;

    if (fstatfs(vantage->scratch, &status))
        return 0;
    return (uint64_t)(status.f_blocks - status.f_bfree) * (uint64_t)status.f_bsize;
}

/* The last two columns of each line are what is resident and what is swapped, in bytes. */
static uint64_t segment_bytes(const struct heel_vantage *vantage)
{
    heel_autobuffer struct heel_buffer text = {0};
    uint64_t total = 0;
    ssize_t got;

    do {
        got = pread(vantage->shm, heel_buffer_reserve(&text, 4096), 4096, (off_t)text.length);
        text.length += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    if (text.length == 0)
        return 0;
    text.data[text.length] = '\0';
    for (const char *line = strchr(text.data, '\n'); line && line[1];
         line = strchr(line + 1, '\n')) {
        uint64_t resident, swapped;

        if (sscanf(line + 1,
                   "%*d %*d %*o %*u %*d %*d %*u %*u %*u %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
                   &resident, &swapped) == 2)
            total += resident + swapped;
    }
    return total;
}

/* ---- one process ---- */

static FILE *open_text(const struct heel_vantage *vantage, pid_t pid, const char *name)
{
    char path[48];
    int fd;
    FILE *stream;

    snprintf(path, sizeof path, "%d/%s", (int)pid, name);
    fd = openat(vantage->proc, path, O_RDONLY | O_CLOEXEC);
    stream = fd < 0 ? NULL : fdopen(fd, "re");
    if (!stream && fd >= 0)
        close(fd);
    return stream;
}

/* Its private memory, and its share in the pages that it has in common with its parent and children
 * after a fork. */
static uint64_t own_bytes(const struct heel_vantage *vantage,
                          const struct heel_census_process *process)
{
    char line[LINE_BYTES];
    uint64_t total = 0, kilobytes;
    FILE *stream = open_text(vantage, process->pid, "smaps_rollup");

    if (!stream) /* denied, or gone since */
        return errno == EACCES || errno == EPERM ? process->anonymous_bytes : 0;
    while (fgets(line, sizeof line, stream))
        if (sscanf(line, "Pss_Anon: %" SCNu64, &kilobytes) == 1 ||
            sscanf(line, "SwapPss: %" SCNu64, &kilobytes) == 1)
            total += kilobytes * 1024;
    fclose(stream);
    return total;
}

/* What the file of a mapping takes, where the kernel lets this process look (root's may; see
 * proc(5), map_files), else the mapping's length, which it may be far from filling. */
static uint64_t mapped_bytes(const struct heel_vantage *vantage, pid_t pid, uint64_t from,
                             uint64_t to, bool *exact)
{
    char path[80];
    struct stat status;

    snprintf(path, sizeof path, "%d/map_files/%" PRIx64 "-%" PRIx64, (int)pid, from, to);
    *exact = fstatat(vantage->proc, path, &status, 0) == 0;
    return *exact ? (uint64_t)status.st_blocks * 512 : to - from;
}

/* Files in memory that are mapped but not open. Pages that were written by a process which is gone,
 * or with write(2), are in nobody's PSS. Each inode counts once. */
static void add_mapped(const struct heel_vantage *vantage,
                       const struct heel_census_process *process,
                       const struct heel_open_files *open, struct heel_open_files *mapped,
                       struct heel_open_files *guessed)
{
    char line[LINE_BYTES];
    FILE *stream = open_text(vantage, process->pid, "maps");
    dev_t shared = shared_device();

    while (stream && fgets(line, sizeof line, stream)) {
        uint64_t from, to, inode;
        unsigned major_number, minor_number;
        bool exact;

        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*4s %*x %x:%x %" SCNu64, &from, &to,
                   &major_number, &minor_number, &inode) != 5 ||
            makedev(major_number, minor_number) != shared || strstr(line, " /SYSV") ||
            heel_open_files_find(open, shared, inode))
            continue;
        from = mapped_bytes(vantage, process->pid, from, to, &exact);
        heel_open_files_note(exact ? mapped : guessed, shared, inode, from);
    }
    if (stream)
        fclose(stream);
}

/* ---- all together ---- */

static uint64_t sum(const struct heel_open_files *files, dev_t device)
{
    uint64_t total = 0;

    for (size_t i = 0; i < files->capacity; i++)
        if (files->items[i].inode != 0 && files->items[i].device == device)
            total += files->items[i].bytes;
    return total;
}

static uint64_t smaller(uint64_t left, uint64_t right)
{
    return left < right ? left : right;
}

/* Only growth is added up: what others free must not hide it. */
static void note_growth(struct heel_memory_watch *watch, const struct host *host)
{
    if (watch->host_seen > 0 && host->shared > watch->host_seen)
        watch->came += host->shared - watch->host_seen;
    watch->host_seen = host->shared;
}

/* An upper bound for files whose size in memory can't be read: no more than the host's shared
 * memory that is not accounted for otherwise, and no more than what that has grown by since this
 * sandbox was first looked at. A program that maps much and writes little must not pay for the
 * memory of others. */
static uint64_t room_for_hidden(const struct heel_memory_watch *watch, const struct host *host,
                                uint64_t visible)
{
    uint64_t unaccounted = host->shared > visible ? host->shared - visible : 0;

    return smaller(unaccounted, watch->came);
}

uint64_t heel_memory_bound(const struct heel_census *census, struct heel_memory_watch *watch,
                           bool *is_sure)
{
    struct host host = look_at_host();
    uint64_t shared = host.shared, total = host.swapped;
    uint64_t grown = host.shared > watch->host_shared ? host.shared - watch->host_shared : 0;

    note_growth(watch, &host);
    *is_sure =
        watch->host_shared == 0 || watch->since++ >= BOUNDS_MAX || watch->shared + grown >= shared;
    if (!*is_sure)
        shared = watch->shared + grown;
    for (size_t i = 0; i < census->count; i++)
        total += census->processes[i].anonymous_bytes;
    return total + shared;
}

void heel_memory_measure(const struct heel_vantage *vantage, const struct heel_census *census,
                         struct heel_memory_watch *watch, struct heel_memory_use *use)
{
    struct heel_open_files open = {0}, mapped = {0}, guessed = {0};
    struct host host = look_at_host();
    uint64_t own = 0, visible, hidden;

    note_growth(watch, &host);

    use->lasting = vantage->holder ? 0 : scratch_bytes(vantage) + segment_bytes(vantage);
    for (size_t i = 0; i < census->count; i++) {
        own += own_bytes(vantage, &census->processes[i]);
        heel_open_files_add(vantage, &census->processes[i], &open);
    }
    for (size_t i = 0; i < census->count; i++)
        add_mapped(vantage, &census->processes[i], &open, &mapped, &guessed);
    visible = use->lasting + sum(&open, shared_device()) + sum(&mapped, shared_device());
    hidden = smaller(sum(&guessed, shared_device()), room_for_hidden(watch, &host, visible));
    use->bytes = own + visible + hidden;
    watch->shared = visible + hidden;
    watch->host_shared = host.shared;
    watch->since = 0;
    heel_open_files_clear(&open);
    heel_open_files_clear(&mapped);
    heel_open_files_clear(&guessed);
}
