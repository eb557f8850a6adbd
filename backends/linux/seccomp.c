#include "backends/linux/seccomp.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backends/linux/seccomp_program.h"

static int load(const struct sock_filter *filter, size_t length, struct heel_error **err)
{
    struct sock_fprog program = {
        .len = (unsigned short)length,
        .filter = (struct sock_filter *)(uintptr_t)filter,
    };

    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        return heel_error_set_errno(err, errno, "the kernel refused the seccomp filter");
    return 0;
}

int heel_seccomp_load(struct heel_error **err)
{
    return load(seccomp_program, HEEL_ARRAY_LENGTH(seccomp_program), err);
}

int heel_seccomp_load_bare(struct heel_error **err)
{
    return load(seccomp_bare_program, HEEL_ARRAY_LENGTH(seccomp_bare_program), err);
}

int heel_seccomp_load_write_xor_execute(struct heel_error **err)
{
    return load(seccomp_write_xor_execute_program,
                HEEL_ARRAY_LENGTH(seccomp_write_xor_execute_program), err);
}
