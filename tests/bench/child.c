#include "tests/bench/child.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

int child_spawn(const char *const *argv, const char *const *environment, int out, pid_t *pid,
                struct heel_error **err)
{
    posix_spawn_file_actions_t actions;
    char *const *variables = environment ? (char *const *)(uintptr_t)environment : environ;
    int result;

    posix_spawn_file_actions_init(&actions);
    if (out >= 0)
        posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    result = posix_spawn(pid, argv[0], out >= 0 ? &actions : NULL, NULL,
                         (char *const *)(uintptr_t)argv, variables);
    posix_spawn_file_actions_destroy(&actions);
    return result ? heel_error_set_errno(err, result, "run %s", argv[0]) : 0;
}

int child_wait(pid_t pid, const char *name, struct heel_error **err)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return heel_error_set_errno(err, errno, "wait for %s", name);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return heel_error_set(err, HEEL_INTERNAL, NULL, "%s ended with %s %d", name,
                          WIFEXITED(status) ? "exit status" : "signal",
                          WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

int child_run(const char *const *argv, const char *const *environment, struct heel_error **err)
{
    pid_t pid;

    if (child_spawn(argv, environment, -1, &pid, err) < 0)
        return -1;
    return child_wait(pid, argv[0], err);
}

int child_read(const char *const *argv, char **output, struct heel_error **err)
{
    enum { CAPACITY = 65536 };
    heel_autofree char *text = heel_xcalloc(CAPACITY + 1, 1);
    heel_autoclose int ours = -1;
    size_t length = 0;
    ssize_t got = 1;
    int ends[2], result;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return heel_error_set_errno(err, errno, "make a pipe");
    ours = ends[0];
    result = child_spawn(argv, NULL, ends[1], &pid, err);
    close(ends[1]);
    if (result < 0)
        return -1;
    while (length < CAPACITY && got > 0) {
        got = read(ours, text + length, CAPACITY - length);
        length += got > 0 ? (size_t)got : 0;
    }
    if (child_wait(pid, argv[0], err) < 0)
        return -1;
    *output = heel_steal(text);
    return 0;
}

static bool names_heel(const char *variable)
{
    static const char *const names[] = {"HEEL_ADDRESS=", "XDG_RUNTIME_DIR=", "XDG_STATE_HOME="};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(names); i++)
        if (heel_starts_with(variable, names[i]))
            return true;
    return false;
}

static size_t count_of(const char *const *list)
{
    size_t count = 0;

    while (list[count])
        count++;
    return count;
}

const char **child_environment(const char *const *more)
{
    const char *const *own = (const char *const *)environ;
    const char **made = heel_xcalloc(count_of(own) + count_of(more) + 1, sizeof *made);
    size_t count = 0;

    for (; *own; own++)
        if (!names_heel(*own))
            made[count++] = *own;
    for (; *more; more++)
        made[count++] = *more;
    return made;
}
