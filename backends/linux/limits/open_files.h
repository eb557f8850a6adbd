/* The files that a sandbox's processes have open: memory and disk space without a name, which no
 * walk through directories finds. */
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

/* Adds the files that `process` has open. Where /proc hides its descriptors from this process's
 * uid, each is fetched with pidfd_getfd(2), which the owner of the user namespace may call. */
void heel_open_files_add(const struct heel_vantage *vantage,
                         const struct heel_census_process *process, struct heel_open_files *files);
/* Adds one that was found in another way; of a file that is there already the larger size counts.
 */
void heel_open_files_note(struct heel_open_files *files, dev_t device, ino_t inode, uint64_t bytes);
const struct heel_open_file *heel_open_files_find(const struct heel_open_files *files, dev_t device,
                                                  ino_t inode);
void heel_open_files_clear(struct heel_open_files *files);

#endif
