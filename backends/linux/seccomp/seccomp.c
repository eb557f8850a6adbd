#include "backends/linux/seccomp/seccomp.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backends/linux/kernel/without.h"
#include "backends/linux/seccomp/seccomp_program.h"

/* Linux 5.19. A caller that heeld has taken up can be killed, and not be interrupted: else a
 * program that lives on signals sees its connects made and failed at the same time. */
#define WAIT_KILLABLE_RECV (1U << 5)

static int load(unsigned flags, const struct sock_filter *filter, size_t length,
                struct heel_error **err)
{
    struct sock_fprog program = {
        .len = (unsigned short)length,
        .filter = (struct sock_filter *)(uintptr_t)filter,
    };
    const bool refused =
        heel_is_without(HEEL_MECHANISM_SECCOMP) ||
        (heel_is_without(HEEL_MECHANISM_LISTENER) && (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER));
    long result = -1;

    errno = EINVAL;
    if (!refused)
        result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    if (result < 0)
        return heel_error_set_errno(err, errno, "the kernel refused the seccomp filter");
    return (int)result;
}

int heel_seccomp_load(struct heel_error **err)
{
    return load(0, seccomp_program, HEEL_ARRAY_LENGTH(seccomp_program), err);
}

int heel_seccomp_load_bare(struct heel_error **err)
{
    return load(0, seccomp_bare_program, HEEL_ARRAY_LENGTH(seccomp_bare_program), err);
}

int heel_seccomp_load_supervising(int *listener, struct heel_seccomp_pass *pass,
                                  struct heel_error **err)
{
    struct sock_filter program[HEEL_ARRAY_LENGTH(seccomp_supervising_program)];
    uint32_t words[HEEL_ARRAY_LENGTH(pass->words) * 2];
    int result;

    if (getrandom(words, sizeof words, 0) != (ssize_t)sizeof words)
        return heel_error_set_errno(err, errno, "cannot get random bytes");
    memcpy(program, seccomp_supervising_program, sizeof program);
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(seccomp_pass_words); i++)
        program[seccomp_pass_words[i].at].k = words[seccomp_pass_words[i].word];
    result = load(SECCOMP_FILTER_FLAG_NEW_LISTENER | WAIT_KILLABLE_RECV, program,
                  HEEL_ARRAY_LENGTH(program), err);
    if (result < 0)
        return -1;
    memcpy(pass->words, words, sizeof pass->words);
    *listener = result;
    return 0;
}

int heel_seccomp_connect(const struct heel_seccomp_pass *pass, int socket, const void *address,
                         uint32_t length)
{
    return (int)syscall(SYS_connect, socket, address, length, pass->words[0], pass->words[1]);
}

int heel_seccomp_socket(const struct heel_seccomp_pass *pass, int domain, int type, int protocol)
{
    return (int)syscall(SYS_socket, domain, type, protocol, pass->words[0], pass->words[1]);
}

int heel_seccomp_load_write_xor_execute(struct heel_error **err)
{
    return load(0, seccomp_write_xor_execute_program,
                HEEL_ARRAY_LENGTH(seccomp_write_xor_execute_program), err);
}
