/* The loop for programs that have none. */
#include <errno.h>
#include <poll.h>

#include "clients/c/libheel/exec.h"

#define READ_BYTES ((size_t)64 << 10)

void heel_exec_forward(struct heel_exec *exec, int fd)
{
    exec->forwarded = fd;
}

static bool wants_input(const struct heel_exec *exec)
{
    return exec->forwarded >= 0 && !exec->exited && exec_input_room(exec) >= READ_BYTES;
}

static void end_of_input(struct heel_exec *exec)
{
    exec->forwarded = -1;
    heel_exec_close_input(exec);
}

/* poll said that reading won't wait. A descriptor that isn't open, or can't be read, has come to
 * its end. */
static void forward(struct heel_exec *exec)
{
    char bytes[READ_BYTES];
    ssize_t length = read(exec->forwarded, bytes, sizeof(bytes));

    if (length > 0)
        heel_exec_write(exec, bytes, (size_t)length);
    else if (length == 0 || (errno != EINTR && errno != EAGAIN))
        end_of_input(exec);
}

static void wait_for_something(struct heel_exec *exec)
{
    struct pollfd watched[2] = {
        {.fd = exec->wake, .events = POLLIN},
        {.fd = wants_input(exec) ? exec->forwarded : -1, .events = POLLIN},
    };

    if (poll(watched, 2, -1) > 0 && watched[1].revents)
        forward(exec);
}

int heel_exec_finish(struct heel_exec *exec, struct heel_exit_status *status,
                     struct heel_error **error)
{
    if (!exec->over)
        return heel_error_set(error, HEEL_FAILED_PRECONDITION, NULL, "the command is not over yet");
    if (exec->error)
        return heel_error_propagate(error, &exec->error);
    if (!exec->exited)
        return heel_error_set(error, HEEL_FAILED_PRECONDITION, NULL,
                              "how the command failed was told before");
    if (status)
        *status = exec->status;
    return 0;
}

void exec_loop(struct heel_exec *exec)
{
    while (heel_exec_dispatch(exec))
        wait_for_something(exec);
}

int heel_exec_run(struct heel_exec *exec, struct heel_exit_status *status,
                  struct heel_error **error)
{
    exec_loop(exec);
    return heel_exec_finish(exec, status, error);
}
