/* A thread, a vfork child, and a program that it becomes are confined as their maker is. */
#include "tests/confinement/probes/probe.h"

#include <pthread.h>
#include <sched.h>

static int result;

static void *in_thread(void *unused)
{
    (void)unused;
    result = (int)syscall(425, 4, (char[120]){0});
    return NULL;
}

static int in_clone(void *unused)
{
    (void)unused;
    result = (int)syscall(425, 4, (char[120]){0});
    _exit(0);
}

int main(void)
{
    static _Alignas(16) char stack[65536];
    pthread_t thread;

    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, NULL);
    errno = EPERM;
    probe_call("a thread", result);
    waitpid(clone(in_clone, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL), NULL, 0);
    errno = EPERM;
    probe_call("a child that shares memory", result);
    return probe_end();
}
