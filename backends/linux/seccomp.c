#include "backends/linux/seccomp.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backends/linux/seccomp_programs.h"

static int load(const struct sock_filter *instructions, size_t count, struct heel_error **err)
{
    struct sock_fprog program = { .len = (unsigned short)count, .filter = (struct sock_filter *)(uintptr_t)instructions };

    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        return heel_error_set_errno(err, errno, "the kernel refused the seccomp filter");
    return 0;
}

int heel_seccomp_load(struct heel_error **err)
{
    if (load(by_arguments, HEEL_ARRAY_LENGTH(by_arguments), err) < 0)
        return -1;
    return load(by_number, HEEL_ARRAY_LENGTH(by_number), err);
}
