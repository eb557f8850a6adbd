/* One user namespace takes all that its quotas give; what is left is enough for others. */
#include "backends/linux/limits/quotas.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "base/text.h"

#define TOO_MANY 1000000
#define UNSUPPORTED 77

static struct heel_quotas quotas;

/* ---- in the namespace ---- */

static void inotify_is_bounded(void)
{
    long taken = 0;

    while (taken < TOO_MANY && inotify_init1(IN_CLOEXEC) >= 0)
        taken++;
    CHECK_INT(taken, quotas.inotify_instances);
    CHECK_INT(errno, EMFILE);
}

static void signals_are_bounded(void)
{
    union sigval value = {0};
    rlim_t taken = 0;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    while (taken < TOO_MANY && sigqueue(getpid(), SIGRTMIN, value) == 0)
        taken++;
    CHECK_INT(taken, quotas.pending_signals);
    CHECK_INT(errno, EAGAIN);
}

static void queues_are_bounded(void)
{
    struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = 8192};
    rlim_t taken = 0;

    for (; taken < 256; taken++) {
        heel_autofree char *name = heel_format("/%u", (unsigned)taken);

        if (mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attributes) < 0)
            break;
    }
    CHECK(taken > 0);
    CHECK(taken * 10 * 8192 <= quotas.queue_bytes);
    CHECK_INT(errno, EMFILE);
}

static bool write_text(const char *path, const char *text)
{
    heel_autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Whoever isn't in its namespace's map can make no queues. */
static bool enter_namespaces(void)
{
    unsigned uid = geteuid(), gid = getegid();
    heel_autofree char *uids = heel_format("%u %u 1", uid, uid);
    heel_autofree char *gids = heel_format("%u %u 1", gid, gid);

    return prctl(PR_SET_DUMPABLE, 1) == 0 && unshare(CLONE_NEWUSER | CLONE_NEWIPC) == 0 &&
           write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/uid_map", uids) &&
           write_text("/proc/self/gid_map", gids);
}

static int run_in_namespace(void)
{
    if (!enter_namespaces())
        return UNSUPPORTED;
    if (!heel_quotas_limit_namespace(&quotas))
        return UNSUPPORTED;
    CHECK(heel_quotas_limit_namespace(&quotas)); /* once more, as for the next sandbox in it */
    heel_quotas_limit(&quotas);
    inotify_is_bounded();
    signals_are_bounded();
    queues_are_bounded();
    return heel_test_end();
}

/* ---- outside ---- */

static void it_is_a_share(void)
{
    struct rlimit open_files;

    REQUIRE(getrlimit(RLIMIT_NOFILE, &open_files) == 0);
    CHECK_INT(quotas.open_files, open_files.rlim_max / 4);
    CHECK(quotas.processes >= 1 && quotas.processes <= 4096);
    CHECK(quotas.pending_signals > 0 && quotas.queue_bytes > 0);
    CHECK(quotas.inotify_instances > 0 && quotas.inotify_watches > 0);
}

int main(void)
{
    pid_t pid;
    int status;

    heel_quotas_read(&quotas);
    it_is_a_share();
    pid = fork();
    if (pid == 0)
        _exit(run_in_namespace());
    REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    if (WEXITSTATUS(status) == UNSUPPORTED)
        return heel_test_skip("no user namespace can be given quotas here");
    CHECK_INT(WEXITSTATUS(status), 0);
    return heel_test_end();
}
