#include "base/descriptors_left.h"

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/text.h"

/* They are opened and closed again: free numbers can't be counted otherwise. */
int heel_need_descriptors(unsigned count, struct heel_error **err)
{
    heel_autofree int *fds = heel_xcalloc(count, sizeof *fds);
    struct rlimit limit = {0};
    unsigned had = 0;

    while (had < count && (fds[had] = had ? dup(fds[0]) : eventfd(0, EFD_CLOEXEC)) >= 0)
        had++;
    for (unsigned i = 0; i < had; i++)
        close(fds[i]);
    if (had == count)
        return 0;
    getrlimit(RLIMIT_NOFILE, &limit);
    return heel_error_set(err, HEEL_RESOURCE_EXHAUSTED, NULL,
                          "%u more descriptors are needed, and only %u are left of the %llu that "
                          "RLIMIT_NOFILE allows this process (ulimit -n)",
                          count, had, (unsigned long long)limit.rlim_cur);
}
