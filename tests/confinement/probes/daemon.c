/* Leaves a daemon behind that writes a beat to the file "beats" now and then: a new session, two
 * forks. argv[1]: what else it does to get
 * away; with argv[2] the command itself stays. It ends by itself after some seconds. */
#include "tests/confinement/probes/probe.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>

#define BEAT_US 2000
#define BEATS_MAX 3000

static void beat(void)
{
    for (int i = 0; i < BEATS_MAX; i++) {
        int fd = open("beats", O_WRONLY | O_CREAT | O_APPEND, 0600);

        if (fd < 0 || write(fd, ".", 1) != 1)
            _exit(1);
        close(fd);
        usleep(BEAT_US);
    }
    _exit(0);
}

static void hide(const char *how)
{
    struct rlimit limit = {1, 1};

    if (strcmp(how, "limit") == 0)
        setrlimit(RLIMIT_LOCKS, &limit);
    if (strcmp(how, "name") == 0)
        prctl(PR_SET_NAME, "heel-init");
    if (strcmp(how, "state") == 0)
        prctl(PR_SET_NAME, "x) Z 1 1 1 (");
    if (strcmp(how, "undumpable") == 0)
        prctl(PR_SET_DUMPABLE, 0);
    if (strcmp(how, "sibling") == 0 && syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) != 0)
        _exit(0);
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";

    for (int i = 1; i < 64; i++)
        signal(i, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    if (fork() == 0) {
        setsid();
        hide(how);
        if (fork() == 0)
            beat();
        _exit(0);
    }
    while (access("beats", F_OK) != 0)
        usleep(1000);
    if (strcmp(how, "traced") ==
        0) { /* its tracer is its parent, init: stopped now, as if it were over */
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
    }
    if (argc > 2)
        for (;;)
            pause();
    return 0;
}
