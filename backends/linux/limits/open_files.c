#include "backends/linux/limits/open_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/text.h"

#define BLOCK 512 /* bytes: what st_blocks counts, whatever the file system */

/* Where the file is, or is to be. The table is never full. */
static struct heel_open_file *place_of(const struct heel_open_files *files, dev_t device,
                                       ino_t inode)
{
    size_t at = (size_t)(inode * 0x9e3779b97f4a7c15U >> 20) % files->capacity;

    while (files->items[at].inode != 0 &&
           (files->items[at].inode != inode || files->items[at].device != device))
        at = (at + 1) % files->capacity;
    return &files->items[at];
}

static void grow(struct heel_open_files *files)
{
    struct heel_open_files larger = {.count = files->count, .capacity = files->capacity * 2 + 64};

    larger.items = heel_xcalloc(larger.capacity, sizeof *larger.items);
    for (size_t i = 0; i < files->capacity; i++)
        if (files->items[i].inode != 0)
            *place_of(&larger, files->items[i].device, files->items[i].inode) = files->items[i];
    free(files->items);
    *files = larger;
}

static void put(struct heel_open_files *files, struct heel_open_file file)
{
    struct heel_open_file *place;

    if (file.inode == 0)
        return;
    if (files->count * 2 >= files->capacity)
        grow(files);
    place = place_of(files, file.device, file.inode);
    files->count += place->inode == 0;
    if (file.bytes > place->bytes || place->inode == 0)
        *place = file;
}

static void add(struct heel_open_files *files, const struct statx *status)
{
    if (S_ISREG(status->stx_mode))
        put(files, (struct heel_open_file){
                       .device = makedev(status->stx_dev_major, status->stx_dev_minor),
                       .inode = status->stx_ino,
                       .bytes = status->stx_blocks * BLOCK,
                       .links = status->stx_nlink,
                   });
}

void heel_open_files_note(struct heel_open_files *files, dev_t device, ino_t inode, uint64_t bytes)
{
    put(files, (struct heel_open_file){.device = device, .inode = inode, .bytes = bytes});
}

/* The file system is not asked anew: it may be one that doesn't answer. */
static void add_by_name(int directory, const char *name, struct heel_open_files *files)
{
    struct statx status;

    if (statx(directory, name, AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &status) == 0)
        add(files, &status);
}

static void add_by_copy(int pidfd, const char *name, struct heel_open_files *files)
{
    heel_autoclose int copy = (int)syscall(SYS_pidfd_getfd, pidfd, atoi(name), 0);
    struct statx status;

    if (copy >= 0 &&
        statx(copy, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &status) == 0)
        add(files, &status);
}

static DIR *open_directory(const struct heel_vantage *vantage, pid_t pid, const char *name)
{
    char path[48];
    int fd;
    DIR *stream;

    snprintf(path, sizeof path, "%d/%s", (int)pid, name);
    fd = openat(vantage->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream && fd >= 0)
        close(fd);
    return stream;
}

void heel_open_files_add(const struct heel_vantage *vantage,
                         const struct heel_census_process *process, struct heel_open_files *files)
{
    heel_autoclose int pidfd = -1;
    DIR *stream = open_directory(vantage, process->pid, "fd");

    if (!stream && errno == EACCES && process->host > 0) {
        pidfd = (int)syscall(SYS_pidfd_open, process->host, 0);
        stream = open_directory(vantage, process->pid, "fdinfo");
    }
    if (!stream)
        return;
    for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
        if (entry->d_name[0] == '.')
            continue;
        if (pidfd >= 0)
            add_by_copy(pidfd, entry->d_name, files);
        else
            add_by_name(dirfd(stream), entry->d_name, files);
    }
    closedir(stream);
}

const struct heel_open_file *heel_open_files_find(const struct heel_open_files *files, dev_t device,
                                                  ino_t inode)
{
    const struct heel_open_file *place =
        files->capacity > 0 ? place_of(files, device, inode) : NULL;

    return place && place->inode != 0 ? place : NULL;
}

void heel_open_files_clear(struct heel_open_files *files)
{
    free(files->items);
    *files = (struct heel_open_files){0};
}
