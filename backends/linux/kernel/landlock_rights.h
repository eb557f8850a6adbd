/* Landlock's rights as the running kernel has them. The kernel headers of a build machine are older
 * than the kernels heel meets, so the rights stand here as a table by ABI. */
#ifndef HEEL_BACKENDS_LINUX_KERNEL_LANDLOCK_RIGHTS_H
#define HEEL_BACKENDS_LINUX_KERNEL_LANDLOCK_RIGHTS_H

#include <stdint.h>

#include "base/text.h"

#define HEEL_LANDLOCK_EXECUTE (1ULL << 0)
#define HEEL_LANDLOCK_WRITE_FILE (1ULL << 1)
#define HEEL_LANDLOCK_READ_FILE (1ULL << 2)
#define HEEL_LANDLOCK_READ_DIR (1ULL << 3)
#define HEEL_LANDLOCK_REMOVE_DIR (1ULL << 4)
#define HEEL_LANDLOCK_REMOVE_FILE (1ULL << 5)
#define HEEL_LANDLOCK_MAKE_CHAR (1ULL << 6)
#define HEEL_LANDLOCK_MAKE_DIR (1ULL << 7)
#define HEEL_LANDLOCK_MAKE_REG (1ULL << 8)
#define HEEL_LANDLOCK_MAKE_SOCK (1ULL << 9)
#define HEEL_LANDLOCK_MAKE_FIFO (1ULL << 10)
#define HEEL_LANDLOCK_MAKE_BLOCK (1ULL << 11)
#define HEEL_LANDLOCK_MAKE_SYM (1ULL << 12)
#define HEEL_LANDLOCK_REFER (1ULL << 13)        /* ABI 2 */
#define HEEL_LANDLOCK_TRUNCATE (1ULL << 14)     /* ABI 3 */
#define HEEL_LANDLOCK_IOCTL_DEV (1ULL << 15)    /* ABI 5 */
#define HEEL_LANDLOCK_RESOLVE_UNIX (1ULL << 16) /* ABI 9 */

#define HEEL_LANDLOCK_READ (HEEL_LANDLOCK_READ_FILE | HEEL_LANDLOCK_READ_DIR)
/* No device nodes: nobody inside may make one anyway. Sockets made here may be connected to. */
#define HEEL_LANDLOCK_WRITE \
    (HEEL_LANDLOCK_WRITE_FILE | HEEL_LANDLOCK_REMOVE_DIR | HEEL_LANDLOCK_REMOVE_FILE | \
     HEEL_LANDLOCK_MAKE_DIR | HEEL_LANDLOCK_MAKE_REG | HEEL_LANDLOCK_MAKE_SOCK | \
     HEEL_LANDLOCK_MAKE_FIFO | HEEL_LANDLOCK_MAKE_SYM | HEEL_LANDLOCK_REFER | \
     HEEL_LANDLOCK_TRUNCATE | HEEL_LANDLOCK_RESOLVE_UNIX)
/* All that can be granted on something that is no directory. */
#define HEEL_LANDLOCK_OF_FILES \
    (HEEL_LANDLOCK_EXECUTE | HEEL_LANDLOCK_WRITE_FILE | HEEL_LANDLOCK_READ_FILE | \
     HEEL_LANDLOCK_TRUNCATE | HEEL_LANDLOCK_IOCTL_DEV | HEEL_LANDLOCK_RESOLVE_UNIX)

/* What heel can't do without: network rules, the last thing that kernel 6.7 brought. */
#define HEEL_LANDLOCK_ABI_NEEDED 4

/* The file system and network rights and the scopes that a kernel with this ABI knows. */
uint64_t heel_landlock_fs_rights(unsigned abi);
uint64_t heel_landlock_net_rights(unsigned abi);
uint64_t heel_landlock_scopes(unsigned abi);

/* Appends the names of the rights, joined with "+". */
void heel_landlock_print_rights(uint64_t rights, struct heel_buffer *to);

#endif
