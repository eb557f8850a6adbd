/* Needs a pid namespace, since it kills by scanning one. */
#include "backends/linux/processes/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "base/text.h"

static struct heel_tree_tags tags;
static int proc;

static void test_tags(void)
{
    uint64_t one, two;

    REQUIRE(heel_tree_tags_init(&tags) == 0);
    one = heel_tree_tag_next(&tags);
    two = heel_tree_tag_next(&tags);
    CHECK(one != two);
    CHECK(heel_tree_tag_valid(&tags, one) && heel_tree_tag_valid(&tags, two));
    CHECK(one >> 62 == 0);
    for (int bit = 0; bit < 62; bit++)
        CHECK(!heel_tree_tag_valid(&tags, one ^ (1ULL << bit)));
}

/* ---- inside: this process is pid 1 of a pid namespace */

/* Tells over the pipe that it is where it wants to be, and stays. */
static _Noreturn void stay(int ready)
{
    if (write(ready, "x", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

/* A command that becomes whatever `body` makes of it. Waits until `expected` processes of it are in
 * place. */
static pid_t command(uint64_t tag, int expected, void (*body)(int ready))
{
    int ends[2];
    char byte;
    pid_t pid;

    REQUIRE(pipe(ends) == 0);
    pid = fork();
    if (pid == 0) {
        setsid();
        REQUIRE(heel_tree_tag_take(tag) == 0);
        body(ends[1]);
        _exit(0);
    }
    close(ends[1]);
    while (expected-- > 0)
        REQUIRE(read(ends[0], &byte, 1) == 1);
    close(ends[0]);
    return pid;
}

/* Live processes in here beside this one. */
static int alive(void)
{
    int count = 0;

    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    for (pid_t pid = 2; pid < 400; pid++)
        count += kill(pid, 0) == 0;
    return count;
}

/* Waits for everyone that was killed to be gone. */
static void check_alive(int expected)
{
    for (int i = 0; i < 5000 && alive() != expected; i++)
        sched_yield();
    CHECK_INT(alive(), expected);
}

static void detach_twice(int ready)
{
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            setsid();
            prctl(PR_SET_NAME, "innocent");
            prctl(PR_SET_DUMPABLE, 0);
            stay(ready);
        }
        _exit(0);
    }
    stay(ready);
}

static void simple(int ready)
{
    stay(ready);
}

static void ignore_everything(int ready)
{
    for (int number = 1; number < 32; number++)
        signal(number, SIG_IGN);
    setsid();
    stay(ready);
}

static void lower_tag(int ready)
{
    struct rlimit limit = {1, 1};

    if (fork() == 0) {
        setsid();
        setrlimit(RLIMIT_LOCKS, &limit);
        stay(ready);
    }
    stay(ready);
}

static void stopped(int ready)
{
    if (fork() == 0) {
        setsid();
        if (write(ready, "x", 1) == 1)
            raise(SIGSTOP);
    }
    stay(ready);
}

/* Two that fork a successor with a session of its own and end, as fast as they can. */
static void run_away(int ready)
{
    fork();
    if (write(ready, "x", 1) != 1)
        _exit(1);
    for (;;) {
        pid_t pid = fork();

        if (pid > 0)
            _exit(0);
        setsid();
    }
}

static void check_killed(int expected, void (*body)(int ready))
{
    uint64_t other_tag = heel_tree_tag_next(&tags), tag = heel_tree_tag_next(&tags);
    pid_t other = command(other_tag, 1, simple);
    pid_t pid = command(tag, expected, body);

    CHECK_INT(heel_tree_kill(&tags, proc, pid, tag, false), 0);
    check_alive(1); /* the other one, unharmed */
    CHECK_INT(heel_tree_kill(&tags, proc, other, other_tag, false), 0);
    check_alive(0);
}

static int inside(void)
{
    REQUIRE(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    if (mount("proc", "/proc", "proc", 0, NULL))
        return heel_test_skip("/proc can't be mounted here");
    proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    signal(SIGALRM, SIG_DFL);
    check_killed(1, simple);
    check_killed(2, detach_twice);
    check_killed(1, ignore_everything);
    check_killed(2, lower_tag);
    check_killed(2, stopped);
    check_killed(2, run_away);
    return heel_test_end();
}

/* Its child is pid 1 of the namespace; neither runs what a sanitizer does at exit, which fails in
 * here. */
static int in_namespace(void)
{
    int status;
    pid_t pid;

    if (unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS))
        return heel_test_skip("no user namespaces");
    pid = fork();
    if (pid == 0)
        _exit(inside());
    REQUIRE(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(void)
{
    int status;
    pid_t pid;

    test_tags();
    if (heel_test_failures)
        return heel_test_end();
    pid = fork();
    if (pid == 0) {
        int result = in_namespace();

        fflush(stdout);
        _exit(result);
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
