/* Pairs of namespaces: what is left when their maker is killed. */
#include "backends/linux/processes/namespaces.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/test.h"

#define KILLS 100
#define KILL_STEP_NS 20000

static _Noreturn void make_pairs(void)
{
    struct heel_namespace_pair pair;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 1);
    for (;;) {
        if (heel_namespace_pair_make(geteuid(), getegid(), &pair, NULL))
            _exit(1);
        heel_namespace_pair_close(&pair);
    }
}

/* Every orphan becomes this process's child, so there is nobody left once it has none. */
static void nothing_outlives_its_maker(void)
{
    for (long i = 0; i < KILLS; i++) {
        struct timespec moment = {0, i * KILL_STEP_NS};
        pid_t maker = fork();

        if (maker == 0)
            make_pairs();
        nanosleep(&moment, NULL);
        kill(maker, SIGKILL);
        while (waitpid(-1, NULL, 0) > 0)
            ;
        CHECK_INT(errno, ECHILD);
    }
}

static bool supported(void)
{
    struct heel_namespace_pair pair;

    if (heel_namespace_pair_make(geteuid(), getegid(), &pair, NULL))
        return false;
    heel_namespace_pair_close(&pair);
    return true;
}

int main(void)
{
    if (!supported())
        return heel_test_skip("no user namespaces can be made here");
    REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    alarm(30); /* somebody who is left would be waited for for ever */
    nothing_outlives_its_maker();
    return heel_test_end();
}
