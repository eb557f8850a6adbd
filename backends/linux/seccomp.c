#include "backends/linux/seccomp.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backends/linux/seccomp_program.h"

int heel_seccomp_load(struct heel_error **err)
{
    struct sock_fprog program = {
        .len = HEEL_ARRAY_LENGTH(seccomp_program),
        .filter = (struct sock_filter *)(uintptr_t)seccomp_program,
    };

    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        return heel_error_set_errno(err, errno, "the kernel refused the seccomp filter");
    return 0;
}
