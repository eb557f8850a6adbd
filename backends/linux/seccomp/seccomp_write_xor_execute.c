/* What a sandbox is refused besides where nothing that it writes may be executed: mounts see to
 * files, and this to the file that lies on no mount. */
#include <errno.h>

#include "backends/linux/seccomp/seccomp_sets.h"
#include "base/cleanup.h"

static const char *const memory_files[] = {"memfd_create", NULL};

const struct heel_seccomp_set heel_seccomp_write_xor_execute_sets[] = {
    {"memory files",
     "a sealed one can't be executed, but the loader maps it all the same; programs fall back to "
     "files, which lie on mounts where nothing can be executed",
     ENOSYS, memory_files},
};

const size_t heel_seccomp_write_xor_execute_set_count =
    HEEL_ARRAY_LENGTH(heel_seccomp_write_xor_execute_sets);
