#include "backends/linux/processes/birth.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Init's stack as well, all its life: only what it touches costs memory. */
#define STACK_SIZE ((size_t)1024 * 1024)
#define GUARD_SIZE ((size_t)4096)

/* Between the launcher and the midwife, which share their memory. */
struct delivery {
    const struct heel_birth *birth;
    struct heel_newborn newborn;
    const char *failed; /* what failed, NULL if nothing did */
    int failed_errno;
};

static int deliver_failed(struct delivery *delivery, const char *what)
{
    delivery->failed = what;
    delivery->failed_errno = errno;
    return 1;
}

/* As root the midwife still has root's ids, which do not exist in there. Raw system calls: libc's
 * would tell "all threads", and it believes to be the launcher. */
static int take_identity(const struct heel_namespace_pair *pair)
{
    int kept = (int)syscall(SYS_setgroups, 0, NULL); /* an ordinary user can't */

    if (geteuid() == pair->uid && getegid() == pair->gid)
        return 0;
    if (kept || syscall(SYS_setresgid, pair->gid, pair->gid, pair->gid) ||
        syscall(SYS_setresuid, pair->uid, pair->uid, pair->uid))
        return -1;
    return 0;
}

/* The midwife: nobody can leave a user namespace, so the launcher cannot enter the pair itself.
 * This process does, with the launcher's memory and descriptors, bears init as the launcher's child
 * (CLONE_PARENT) and ends; the launcher stands still meanwhile. */
static int deliver(void *data)
{
    struct delivery *delivery = data;
    const struct heel_namespace_pair *pair = delivery->birth->pair;
    const unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
                                CLONE_NEWCGROUP | CLONE_PARENT | CLONE_PIDFD;
    long pid;

    if (setns(pair->user, CLONE_NEWUSER) || setns(pair->net, CLONE_NEWNET))
        return deliver_failed(delivery, "enter the sandbox's user and network namespaces");
    if (delivery->birth->mounts >= 0 && setns(delivery->birth->mounts, CLONE_NEWNS))
        return deliver_failed(delivery, "enter the template of the sandbox's mounts");
    if (take_identity(pair))
        return deliver_failed(delivery, "take the sandbox's uid");
    /* Not clone3: the filters of many containers have none, and let this pass. */
    pid = syscall(SYS_clone, flags, NULL, &delivery->newborn.pidfd, NULL, NULL);
    if (pid < 0)
        return deliver_failed(delivery, "make the sandbox's mount, pid, ipc and uts namespaces");
    if (pid == 0) {
        delivery->birth->init(delivery->birth->data);
        _exit(1);
    }
    delivery->newborn.pid = (pid_t)pid;
    return 0;
}

static char *stack_top(void)
{
    static char *stack;

    if (!stack) {
        char *made = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

        if (made == MAP_FAILED)
            return NULL;
        mprotect(made, GUARD_SIZE, PROT_NONE);
        stack = made;
    }
    return stack + STACK_SIZE;
}

int heel_birth_give(const struct heel_birth *birth, struct heel_newborn *newborn,
                    struct heel_error **err)
{
    struct delivery delivery = {.birth = birth, .newborn = {-1, -1}};
    char *top = stack_top();
    pid_t midwife =
        top ? clone(deliver, top, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &delivery) : -1;

    if (midwife < 0)
        return heel_error_set_errno(err, errno, "cannot start a process for a sandbox");
    while (waitpid(midwife, NULL, 0) < 0 && errno == EINTR)
        ;
    /* Its change of credentials cleared this for the memory they shared, and with it the launcher's
     * rights in its own /proc. */
    prctl(PR_SET_DUMPABLE, 1);
    if (delivery.failed)
        return heel_error_set_errno(err, delivery.failed_errno, "cannot %s", delivery.failed);
    if (delivery.newborn.pid < 0)
        return heel_error_set(err, HEEL_INTERNAL, NULL,
                              "a process that was to make a sandbox was killed");
    *newborn = delivery.newborn;
    return 0;
}
