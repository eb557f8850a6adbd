/* Keeps init busy, so that it can't do what heeld asks of it: argv[1] says how. For two minutes at
 * most, which is longer than the runner waits. */
#include "tests/confinement/probes/probe.h"

#define CHILDREN 6

static void signal_init(void)
{
    kill(1, SIGCHLD);
}

static void make_orphans(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(fork() < 0);
    waitpid(pid, NULL, 0);
}

static void stop_all(void)
{
    kill(-1, SIGSTOP);
}

static void kill_all(void)
{
    kill(-1, SIGKILL);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*step)(void);
    } kinds[] = {{"signals", signal_init},
                 {"orphans", make_orphans},
                 {"stops", stop_all},
                 {"kills", kill_all}};

    for (size_t i = 0; argc > 1 && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(argv[1], kinds[i].name) != 0)
            continue;
        for (int j = 0; j < CHILDREN && fork() > 0; j++)
            ;
        alarm(120);
        for (;;)
            kinds[i].step();
    }
    return 2;
}
