#include "backends/linux/launcher/spare.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/linux/init/init.h"
#include "backends/linux/messages/protocol.h"

void heel_spare_init(struct heel_spare *spare)
{
    *spare = (struct heel_spare){.cradle = -1};
}

/* Closes what the launcher still has of a spare that was adopted or died. */
static void forget(struct heel_spare *spare)
{
    close(heel_steal_fd(&spare->cradle));
    if (spare->newborn.pidfd >= 0)
        close(heel_steal_fd(&spare->newborn.pidfd));
}

int heel_spare_make(struct heel_spare *spare, const struct heel_namespace_pair *pair, int level,
                    const char *works, const struct heel_quotas *quotas, struct heel_error **err)
{
    struct heel_init_start start = {.control = -1, .quotas = quotas};
    struct heel_birth birth = {.pair = pair, .mounts = -1, .init = heel_init_run, .data = &start};
    int ends[2];
    int result;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return heel_error_set_errno(err, errno, "cannot make a socket for a sandbox");
    start.cradle = ends[1];
    if (level >= 0) {
        birth.mounts = pair->templates[level].mounts;
        start.fingerprint = pair->templates[level].fingerprint;
        start.works = works;
    }
    result = heel_birth_give(&birth, &spare->newborn, err);
    close(ends[1]);
    if (result) {
        close(ends[0]);
        return -1;
    }
    spare->pair = *pair;
    spare->level = level;
    spare->cradle = ends[0];
    return 0;
}

bool heel_spare_is_for(const struct heel_spare *spare, uid_t uid, gid_t gid, int level)
{
    return spare->cradle >= 0 && spare->pair.uid == uid && spare->pair.gid == gid &&
           (spare->level == -1 || spare->level == level);
}

void heel_spare_drop(struct heel_spare *spare)
{
    if (spare->cradle < 0)
        return;
    kill(spare->newborn.pid, SIGKILL);
    forget(spare);
}

bool heel_spare_adopt(struct heel_spare *spare, uid_t uid, gid_t gid, int level, int control,
                      int *pidfd)
{
    struct heel_message message = {.type = HEEL_INIT_ADOPT, .fds = {control}, .fd_count = 1};

    if (!heel_spare_is_for(spare, uid, gid, level))
        return false;
    if (heel_message_send(spare->cradle, &message)) {
        heel_spare_drop(spare);
        return false;
    }
    *pidfd = heel_steal_fd(&spare->newborn.pidfd);
    forget(spare);
    return true;
}

void heel_spare_died(struct heel_spare *spare, pid_t pid)
{
    if (spare->cradle >= 0 && spare->newborn.pid == pid)
        forget(spare);
}
