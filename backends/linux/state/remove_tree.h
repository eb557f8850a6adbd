/* Removing what untrusted code left behind. */
#ifndef HEEL_BACKENDS_LINUX_STATE_REMOVE_TREE_H
#define HEEL_BACKENDS_LINUX_STATE_REMOVE_TREE_H

#include "base/error.h"

/* Removes `name` in the directory `parent`, with everything below it if it is a directory: at any
 * depth, whatever the modes of the directories, following no link and crossing no mount, even while
 * others change it. Takes a fixed number of descriptors. 0 (also when it does not exist), or -1 and
 * *err with the first thing that could not be removed; the rest is. Blocks. */
int heel_remove_tree(int parent, const char *name, struct heel_error **err);

#endif
