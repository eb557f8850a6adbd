/* How a probe says what came of its attack: a line for each way that it tried, "open" where that
 * got through. The runner (matrix.py) judges; a probe whose last line isn't "end" proves nothing.
 *
 * A probe must do no harm where nothing confines it: it works on what the runner made for it and
 * names in the environment (stage.py says what there is). */
#ifndef HEEL_TESTS_CONFINEMENT_PROBE_H
#define HEEL_TESTS_CONFINEMENT_PROBE_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROBE_PRINTF __attribute__((unused, format(printf, 2, 3)))

static inline void probe_say(const char *what, const char *way, const char *format, va_list list)
{
    printf("%s\t%s\t", what, way);
    vprintf(format, list);
    putchar('\n');
    fflush(stdout);
}

/* This way got through. */
PROBE_PRINTF static void probe_open(const char *way, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    probe_say("open", way, format, list);
    va_end(list);
}

/* This one didn't. */
PROBE_PRINTF static void probe_shut(const char *way, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    probe_say("shut", way, format, list);
    va_end(list);
}

/* This kernel or machine has nothing that could be tried. */
PROBE_PRINTF static void probe_absent(const char *way, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    probe_say("absent", way, format, list);
    va_end(list);
}

/* Whether nothing confines this run. */
static inline bool probe_is_control(void)
{
    return getenv("CONTROL") != NULL;
}

/* Takes the result of a call as libc gives it: anything but -1 got through. Returns it. */
static inline long probe_call(const char *way, long result)
{
    if (result == -1)
        probe_shut(way, "%s", strerrorname_np(errno));
    else
        probe_open(way, "returned %ld", result);
    return result;
}

/* For calls made with arguments that can't work: the permission must have been what they failed by,
 * since EINVAL or EFAULT would mean that better arguments get through. */
static inline void probe_permission(const char *way, long result)
{
    static const int refusals[] = {EPERM,        EACCES,          ENOSYS,
                                   EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT};

    if (result == -1 && errno == ENOSYS && probe_is_control()) {
        probe_absent(way, "this kernel has none");
        return;
    }
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        if (result == -1 && errno == refusals[i]) {
            probe_shut(way, "%s", strerrorname_np(errno));
            return;
        }
    probe_open(way, "%s", result == -1 ? strerrorname_np(errno) : "succeeded");
}

/* Like probe_call() for descriptors, which it closes. */
static inline void probe_fd(const char *way, int fd)
{
    if (probe_call(way, fd) >= 0)
        close(fd);
}

/* What the runner says of the stage; ends the probe where it says nothing. */
static inline const char *probe_env(const char *name)
{
    const char *value = getenv(name);

    if (value)
        return value;
    printf("error\t%s is not set\n", name);
    exit(2);
}

static inline int probe_number(const char *name)
{
    return atoi(probe_env(name));
}

/* "FOLDER/NAME" of a folder that the environment names; static, one of four in turn. */
static inline const char *probe_path(const char *variable, const char *name)
{
    static char paths[4][4096];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", probe_env(variable), name);
    return path;
}

/* Runs `attack` in a child, and says "shut" where SIGSYS or SIGKILL ended that. The child exits
 * with 0 where it got through, else with an errno. */
static inline void probe_child(const char *way, int (*attack)(void))
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(attack());
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        probe_shut(way, "fork: %s", strerrorname_np(errno));
    else if (WIFSIGNALED(status))
        probe_shut(way, "SIG%s", sigabbrev_np(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != 0)
        probe_shut(way, "%s", strerrorname_np(WEXITSTATUS(status)));
    else
        probe_open(way, "succeeded");
}

/* main's return value. */
static inline int probe_end(void)
{
    puts("end");
    return 0;
}

#endif
