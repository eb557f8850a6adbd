/* How much a directory tree takes on disk. */
#ifndef HEEL_BACKENDS_LINUX_LIMITS_DISK_USE_H
#define HEEL_BACKENDS_LINUX_LIMITS_DISK_USE_H

#include <stdint.h>

struct heel_disk_use {
    uint64_t bytes;  /* blocks, whatever the lengths: holes are free, what was set aside is not */
    uint64_t inodes; /* each counts once for every name it has; the top is not counted */
};

/* Adds up what lies below the directory `top`, on its file system, until there is more than `most`
 * of either. Directories that their owner may not read, as code that hides something makes them,
 * are made readable, if this process's user is that owner. What comes and goes meanwhile may be
 * missed or counted twice. Any depth: two descriptors and the names of a path's directories at a
 * time; a tree that was made to be hard to count has UINT64_MAX inodes. */
void heel_disk_use_measure(int top, const struct heel_disk_use *most, struct heel_disk_use *use);

#endif
