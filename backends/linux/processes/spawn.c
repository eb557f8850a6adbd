#include "backends/linux/processes/spawn.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/linux/processes/tree.h"

#define STACK_SIZE (64 * 1024)
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"
#define SCRIPT_ARGUMENTS_MAX 64 /* of a script without "#!", run by a shell */

/* Between init and the child, which runs in init's memory until it execs: so it only writes here
 * and on its stack. */
struct attempt {
    const struct heel_spawn *spawn;
    const char *path; /* the command's PATH */
    struct heel_spawn_failure failure;
};

static int fail(struct attempt *attempt, enum heel_start_failure kind)
{
    attempt->failure = (struct heel_spawn_failure){kind, errno};
    return 127;
}

/* Picks processors out of the allowed ones, beginning at another one for each command (by its pid).
 */
static int take_processors(size_t wanted)
{
    cpu_set_t allowed, taken;
    int count = wanted < CPU_SETSIZE ? (int)wanted : CPU_SETSIZE;
    int skip;

    CPU_ZERO(&taken);
    if (sched_getaffinity(0, sizeof allowed, &allowed))
        return -1;
    if (CPU_COUNT(&allowed) <= count)
        return 0;
    skip = getpid() % CPU_COUNT(&allowed);
    for (size_t i = 0; CPU_COUNT(&taken) < count; i = (i + 1) % CPU_SETSIZE)
        if (CPU_ISSET(i, &allowed) && skip-- <= 0)
            CPU_SET(i, &taken);
    return sched_setaffinity(0, sizeof taken, &taken);
}

static int take_limits(const struct heel_spawn_limits *limits)
{
    if (!limits)
        return 0;
    for (size_t i = 0; i < limits->count; i++) {
        struct rlimit limit = {limits->items[i].value, limits->items[i].value};

        if (setrlimit(limits->items[i].resource, &limit))
            return -1;
    }
    if (limits->group >= 0 && write(limits->group, "0", 1) != 1)
        return -1;
    return limits->processors > 0 ? take_processors(limits->processors) : 0;
}

static int set_up(const struct heel_spawn *spawn)
{
    sigset_t none;

    for (int i = 0; i < 3; i++)
        if (dup2(spawn->stdio[i], i) < 0)
            return -1;
    if (spawn->for_parent && prctl(PR_SET_PDEATHSIG, SIGKILL))
        return -1;
    if (setsid() < 0 || take_limits(spawn->limits) || close_range(3, ~0U, 0) ||
        heel_tree_tag_take(spawn->tag))
        return -1;
    if (spawn->terminal && ioctl(0, TIOCSCTTY, 0))
        return -1;
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

/* As shells and execvp have always done: an executable text file without "#!" is a shell script. */
static void exec_script(const struct heel_spawn *spawn, const char *program)
{
    const char *argv[SCRIPT_ARGUMENTS_MAX + 3] = {"sh", program};
    size_t count = 2;

    for (size_t i = 1; spawn->argv[i]; i++) {
        if (count == SCRIPT_ARGUMENTS_MAX + 2) {
            errno = E2BIG;
            return;
        }
        argv[count++] = spawn->argv[i];
    }
    execve("/bin/sh", (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)spawn->environment);
}

static void exec_one(const struct heel_spawn *spawn, const char *program)
{
    execve(program, (char *const *)(uintptr_t)spawn->argv,
           (char *const *)(uintptr_t)spawn->environment);
    if (errno == ENOEXEC)
        exec_script(spawn, program);
}

/* "directory/name" into `program`. False where it would not fit, and so can't exist. */
static bool join(char *program, const char *directory, size_t directory_length, const char *name)
{
    size_t name_length = strlen(name);

    if (directory_length + 1 + name_length >= PATH_MAX)
        return false;
    memcpy(program, directory, directory_length);
    if (directory_length > 0)
        program[directory_length++] = '/';
    memcpy(program + directory_length, name, name_length + 1);
    return true;
}

static bool absent(int why)
{
    return why == ENOENT || why == ENOTDIR || why == ENAMETOOLONG || why == ELOOP;
}

/* Tries each directory of PATH. errno is then that of the first program that was there and could
 * not be executed, else ENOENT. */
static void exec_from_path(const struct heel_spawn *spawn, const char *path)
{
    char program[PATH_MAX];
    int worst = ENOENT;

    for (const char *at = path; at; at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL) {
        if (!join(program, at, strcspn(at, ":"), spawn->argv[0]))
            continue;
        exec_one(spawn, program);
        if (!absent(errno) && worst == ENOENT)
            worst = errno;
        if (!absent(errno) && errno != EACCES)
            break;
    }
    errno = worst;
}

static int child(void *data)
{
    struct attempt *attempt = data;
    const struct heel_spawn *spawn = attempt->spawn;

    if (set_up(spawn))
        return fail(attempt, HEEL_START_FAILED);
    if (chdir(spawn->working_dir))
        return fail(attempt, HEEL_START_BAD_DIRECTORY);
    if (strchr(spawn->argv[0], '/'))
        exec_one(spawn, spawn->argv[0]);
    else if (spawn->argv[0][0] == '\0')
        errno = ENOENT;
    else
        exec_from_path(spawn, attempt->path);
    return fail(attempt, absent(errno) ? HEEL_START_NOT_FOUND : HEEL_START_NOT_EXECUTABLE);
}

static const char *path_of(const char *const *environment)
{
    for (; *environment; environment++)
        if (strncmp(*environment, "PATH=", 5) == 0)
            return *environment + 5;
    return DEFAULT_PATH;
}

/* A child that execs never returns from its functions, so AddressSanitizer keeps the poison around
 * their locals on this stack. */
#ifdef __SANITIZE_ADDRESS__
void __asan_unpoison_memory_region(void const volatile *address, size_t size);
#define forget_frames(stack) __asan_unpoison_memory_region(stack, sizeof(stack))
#else
#define forget_frames(stack) ((void)0)
#endif

pid_t heel_spawn(const struct heel_spawn *spawn, struct heel_spawn_failure *failure)
{
    static _Alignas(16) char stack[STACK_SIZE];
    struct attempt attempt = {.spawn = spawn, .path = path_of(spawn->environment)};
    int flags = CLONE_VM | CLONE_VFORK | (spawn->for_parent ? CLONE_PARENT : 0) | SIGCHLD;
    pid_t pid;

    forget_frames(stack);
    pid = clone(child, stack + sizeof stack, flags, &attempt);

    if (pid < 0) {
        *failure = (struct heel_spawn_failure){HEEL_START_FAILED, errno};
        return -1;
    }
    if (attempt.failure.kind == HEEL_START_OK)
        return pid;
    *failure = attempt.failure;
    while (!spawn->for_parent && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return -1;
}
