#include "backends/linux/limits/vantage.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DESCRIPTORS 4

int heel_vantage_open(const char *scratch, struct heel_vantage *vantage, struct heel_error **err)
{
    struct heel_vantage opened = {
        .proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
        .pids = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC),
        .scratch = open(scratch, O_PATH | O_DIRECTORY | O_CLOEXEC),
        .shm = open("/proc/sysvipc/shm", O_RDONLY | O_CLOEXEC),
    };

    if (opened.proc < 0 || opened.pids < 0 || opened.scratch < 0 || opened.shm < 0) {
        heel_error_set_errno(err, errno, "cannot open what a sandbox's limits are measured by");
        heel_vantage_close(&opened);
        return -1;
    }
    *vantage = opened;
    return 0;
}

int heel_vantage_open_bare(const char *scratch, pid_t nursery, struct heel_vantage *vantage,
                           struct heel_error **err)
{
    heel_autoclose int pidfd = (int)syscall(SYS_pidfd_open, nursery, 0);

    if (pidfd < 0)
        return heel_error_set_errno(err, errno, "cannot watch a sandbox's nursery");
    if (heel_vantage_open(scratch, vantage, err))
        return -1;
    close(vantage->pids);
    vantage->pids = heel_steal_fd(&pidfd);
    vantage->holder = getpid();
    vantage->nursery = nursery;
    return 0;
}

void heel_vantage_close(struct heel_vantage *vantage)
{
    const int fds[DESCRIPTORS] = {vantage->proc, vantage->pids, vantage->scratch, vantage->shm};

    for (size_t i = 0; i < DESCRIPTORS; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    *vantage = (struct heel_vantage)HEEL_VANTAGE_NONE;
}

void heel_vantage_attach(const struct heel_vantage *vantage, struct heel_message *message)
{
    const int fds[DESCRIPTORS] = {vantage->proc, vantage->pids, vantage->scratch, vantage->shm};

    for (size_t i = 0; i < DESCRIPTORS && vantage->proc >= 0; i++)
        message->fds[message->fd_count++] = fds[i];
}

bool heel_vantage_take(struct heel_vantage *vantage, struct heel_message *message)
{
    if (message->fd_count != DESCRIPTORS)
        return false;
    *vantage = (struct heel_vantage){
        .proc = heel_message_take_fd(message, 0),
        .pids = heel_message_take_fd(message, 1),
        .scratch = heel_message_take_fd(message, 2),
        .shm = heel_message_take_fd(message, 3),
    };
    return true;
}
