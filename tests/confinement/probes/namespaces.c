/* Makes namespaces: with one of its own it would have capabilities. */
#include "tests/confinement/probes/probe.h"

#include <sched.h>

#define HIGH (1UL << 32)

static unsigned long flags;

static int by_unshare(void)
{
    return syscall(SYS_unshare, flags) == 0 ? 0 : errno;
}

static int by_clone(void)
{
    long pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);

    if (pid == 0)
        _exit(0);
    return pid < 0 ? errno : 0;
}

static int by_clone3(void)
{
    uint64_t arguments[8] = {flags};
    long pid = syscall(435, arguments, sizeof arguments);

    if (pid == 0)
        _exit(0);
    return pid < 0 ? errno : 0;
}

int main(void)
{
    static const struct {
        const char *name;
        unsigned long flag;
    } kinds[] = {
        {"user", CLONE_NEWUSER},
        {"mount", CLONE_NEWNS},
        {"pid", CLONE_NEWPID},
        {"net", CLONE_NEWNET},
        {"ipc", CLONE_NEWIPC},
        {"uts", CLONE_NEWUTS},
        {"cgroup", CLONE_NEWCGROUP},
        {"time", 0x80},
        {"user and mount", CLONE_NEWUSER | CLONE_NEWNS},
    };
    static const struct {
        const char *name;
        int (*attack)(void);
    } calls[] = {{"unshare", by_unshare}, {"clone", by_clone}, {"clone3", by_clone3}};
    char way[64];

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (size_t j = 0; j < 3; j++) {
            flags = kinds[i].flag;
            snprintf(way, sizeof way, "%s: %s", calls[j].name, kinds[i].name);
            if (calls[j].attack != by_clone || flags != 0x80) /* that is part of clone's signal */
                probe_child(way, calls[j].attack);
        }
    flags = CLONE_NEWUSER | HIGH;
    probe_child("clone, high bits", by_clone);
    return probe_end();
}
