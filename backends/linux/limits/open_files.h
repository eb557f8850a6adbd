/* What the descriptors of a sandbox's processes are of: memory and disk space that has no name, and
 * so is found in no directory. */
#ifndef HEEL_BACKENDS_LINUX_LIMITS_OPEN_FILES_H
#define HEEL_BACKENDS_LINUX_LIMITS_OPEN_FILES_H

#include <stdint.h>
#include <sys/types.h>

#include "backends/linux/limits/census.h"

/* Regular files, each inode once. Zero-initialised is empty. */
struct heel_open_files {
    struct heel_open_file {
        dev_t device;
        ino_t inode;
        uint64_t bytes; /* that it takes, whatever its length */
        nlink_t links;
    } * items;    /* owned; a hash table, those with an inode of 0 are free */
    size_t count; /* of those that are not */
    size_t capacity;
};

/* Adds those that this process has open. Where it keeps its descriptors from this process's uid
 * they are looked at one by one, by what the owner of its user namespace may do. */
void heel_open_files_add(const struct heel_vantage *vantage,
                         const struct heel_census_process *process, struct heel_open_files *files);
/* Adds one that is known otherwise; the larger counts if it was there. */
void heel_open_files_note(struct heel_open_files *files, dev_t device, ino_t inode, uint64_t bytes);
const struct heel_open_file *heel_open_files_find(const struct heel_open_files *files, dev_t device,
                                                  ino_t inode);
void heel_open_files_clear(struct heel_open_files *files);

#endif
