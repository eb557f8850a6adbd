/* heel_exec_run's loop in a thread of libheel's, for programs that have none to give it. */
#include <pthread.h>
#include <signal.h>

#include "clients/c/libheel/exec.h"

static void *run(void *data)
{
    exec_loop(data);
    return NULL;
}

/* Signals are for the program's own threads. */
static int start_thread(struct heel_exec *exec)
{
    sigset_t all, before;
    int failure;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failure = pthread_create(&exec->thread, NULL, run, exec);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}

int heel_exec_run_in_thread(struct heel_exec *exec, struct heel_error **error)
{
    int failure;

    if (exec->threaded)
        return heel_error_set(error, HEEL_FAILED_PRECONDITION, NULL,
                              "the command has a thread already");
    failure = start_thread(exec);
    if (failure)
        return heel_error_set_errno(error, failure, "cannot start a thread");
    exec->threaded = true;
    return 0;
}

void exec_join(struct heel_exec *exec)
{
    if (exec->threaded)
        pthread_join(exec->thread, NULL);
    exec->threaded = false;
}

int heel_exec_join(struct heel_exec *exec, struct heel_exit_status *status,
                   struct heel_error **error)
{
    if (!exec->threaded)
        return heel_error_set(error, HEEL_FAILED_PRECONDITION, NULL, "the command has no thread");
    exec_join(exec);
    return heel_exec_finish(exec, status, error);
}
