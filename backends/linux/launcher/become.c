/* What the launcher drops of heeld's after the fork: signal handlers and descriptors. */
#include "backends/linux/launcher/launcher_parts.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Commands inherit what is ignored. libc does not let go of the two signals that it keeps for
 * itself, and some parents ignore them. */
static void reset_signals(void)
{
    struct {
        void (*handler)(int);
        unsigned long flags, restorer, mask;
    } standard = {SIG_DFL, 0, 0, 0};

    for (int number = 1; number < _NSIG; number++)
        syscall(SYS_rt_sigaction, number, &standard, NULL, sizeof standard.mask);
}

int launcher_block_signals(void)
{
    sigset_t all, children;

    reset_signals();
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    return signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
}

void launcher_keep_only(int *socket)
{
    int null;

    if (*socket != 3) {
        dup3(*socket, 3, O_CLOEXEC);
        *socket = 3;
    }
    close_range(4, ~0U, 0);
    null = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3; i++)
        if (null >= 0)
            dup2(null, i);
    if (null > 2)
        close(null);
}

void launcher_raise_open_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}
