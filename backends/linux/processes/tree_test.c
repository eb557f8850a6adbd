/* Needs a pid namespace, since it kills by scanning one. */
#include "backends/linux/processes/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/linux/processes/process_stat.h"
#include "base/test.h"
#include "base/text.h"

#define STORMS 5       /* of each kind: no single one shows much */
#define BREED_MOST 100 /* processes, or some more */
#define PROCESSES_MAX 1000
#define SECONDS_MAX 120

static struct heel_tree_tags tags;
static struct heel_pause sandbox;
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

/* ---- inside: this process is pid 1 of a pid namespace ---- */

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
    DIR *stream = opendir("/proc");
    int count = 0;

    REQUIRE(stream);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream))
        count += atoi(entry->d_name) > 1;
    closedir(stream);
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

/* Processes that fork others, each with a session of its own, up to a bound; from then on each
 * makes room for the one that it forks. */
static void breed(int ready)
{
    int *count =
        mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    signal(SIGCHLD, SIG_IGN);
    if (fork() < 0 || fork() < 0 || write(ready, "x", 1) != 1)
        _exit(1);
    for (;;) {
        bool room = __atomic_fetch_add(count, 1, __ATOMIC_RELAXED) < BREED_MOST;
        pid_t pid = fork();

        if (pid == 0) {
            setsid();
        } else if (!room) {
            __atomic_fetch_sub(count, 1, __ATOMIC_RELAXED);
            if (pid > 0)
                _exit(0);
        }
    }
}

static struct heel_tree tree_of(uint64_t tag)
{
    return (struct heel_tree){&tags, tag, proc, &sandbox};
}

static char state_of(pid_t pid)
{
    struct heel_process_stat stat;

    return heel_process_stat_read(proc, pid, &stat) ? stat.state : 'X';
}

/* Another tree meanwhile: one process that runs, and one that has stopped by itself. */
struct others {
    struct heel_tree tree;
    pid_t running, stopped;
};

static void stop_itself(int ready)
{
    if (write(ready, "x", 1) == 1)
        raise(SIGSTOP);
    stay(ready);
}

static struct others start_others(void)
{
    struct others others = {.tree = tree_of(heel_tree_tag_next(&tags))};

    others.running = command(others.tree.tag, 1, simple);
    others.stopped = command(others.tree.tag, 1, stop_itself);
    while (state_of(others.stopped) != 'T')
        sched_yield();
    return others;
}

/* They are as they were; then they end. */
static void end_others(const struct others *others)
{
    CHECK(state_of(others->running) != 'T');
    CHECK_INT(state_of(others->stopped), 'T');
    CHECK_INT(heel_tree_kill(&others->tree, others->running), 0);
    check_alive(0);
}

static void check_killed(int expected, void (*body)(int ready))
{
    struct others others = start_others();
    struct heel_tree tree = tree_of(heel_tree_tag_next(&tags));
    pid_t pid = command(tree.tag, expected, body);

    CHECK_INT(heel_tree_kill(&tree, pid), 0);
    check_alive(2); /* the others */
    end_others(&others);
}

/* ---- standing still */

static int running(const struct heel_pids *pids)
{
    int count = 0;

    for (size_t i = 0; i < pids->count; i++) {
        char state = state_of(pids->items[i]);

        count += state == 'R' || state == 'S';
    }
    return count;
}

/* Whether nobody in it runs, and nobody is born: the same there are at a second look. */
static bool stands_still(const struct heel_tree *tree)
{
    struct heel_pids first = {0}, second = {0};
    bool still;

    heel_tree_list(tree, &first);
    heel_tree_list(tree, &second);
    still = running(&first) == 0 && running(&second) == 0;
    heel_pids_remove(&second, &first);
    still = still && second.count == 0;
    heel_pids_clear(&first);
    heel_pids_clear(&second);
    return still;
}

static void check_stopped(int expected, void (*body)(int ready))
{
    struct others others = start_others();
    struct heel_tree tree = tree_of(heel_tree_tag_next(&tags));
    pid_t pid = command(tree.tag, expected, body);

    CHECK(heel_tree_stop(&tree));
    CHECK(stands_still(&tree));
    CHECK_INT(heel_tree_kill(&tree, pid), 0);
    check_alive(2);
    end_others(&others);
}

static void check_paused(int expected, void (*body)(int ready))
{
    struct others others = start_others();
    struct heel_tree tree = tree_of(heel_tree_tag_next(&tags));
    pid_t pid = command(tree.tag, expected, body);

    CHECK_INT(heel_pause_set(&sandbox, proc, HEEL_PAUSE_SIGNALS, NULL), 0);
    for (int i = 0; i < 100 && !stands_still(&tree);
         i++) /* what was just being forked stops, too */
        sched_yield();
    CHECK(stands_still(&tree));
    CHECK_INT(state_of(others.running), 'T');
    CHECK_INT(heel_tree_kill(&tree, pid), 0); /* also of what stands still */
    CHECK_INT(heel_pause_set(&sandbox, proc, HEEL_PAUSE_NONE, NULL), 0);
    while (state_of(others.running) == 'T')
        sched_yield();
    check_alive(2);
    end_others(&others);
}

/* That is more than one look at all processes can do. */
static void check_outruns_one_look(void)
{
    bool outrun = false;

    for (int i = 0; i < 1000 && !outrun; i++) {
        struct heel_tree tree = tree_of(heel_tree_tag_next(&tags));
        pid_t pid = command(tree.tag, 2, run_away);

        heel_tree_signal(&tree, SIGSTOP);
        outrun = true;
        for (int look = 0; look < 20; look++)
            outrun = outrun && !stands_still(&tree);
        CHECK_INT(heel_tree_kill(&tree, pid), 0);
        check_alive(0);
    }
    CHECK(outrun);
}

static void check_all(bool shared)
{
    tags.shared = sandbox.shared = shared;
    check_killed(1, simple);
    check_killed(2, detach_twice);
    check_killed(1, ignore_everything);
    check_killed(2, lower_tag);
    check_killed(2, stopped);
    check_killed(2, run_away);
    check_stopped(1, simple);
    check_stopped(2, detach_twice);
    check_paused(2, detach_twice);
    for (int i = 0; i < STORMS; i++) {
        check_stopped(2, run_away);
        check_paused(2, run_away);
        if (shared) /* one by one, so many are not to be had for certain */
            continue;
        check_stopped(4, breed);
        check_paused(4, breed);
    }
}

/* The storms end with this process. */
static void give_up(int number)
{
    _exit(128 + number);
}

static int inside(void)
{
    struct rlimit few = {PROCESSES_MAX, PROCESSES_MAX};

    REQUIRE(setrlimit(RLIMIT_NPROC, &few) == 0);
    REQUIRE(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    if (mount("proc", "/proc", "proc", 0, NULL))
        return heel_test_skip("/proc can't be mounted here");
    proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_IGN); /* those that ran away are many */
    signal(SIGALRM, give_up);
    alarm(SECONDS_MAX);
    check_all(false);
    check_outruns_one_look();
    if (heel_descendants_supported())
        check_all(true);
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
        int result = prctl(PR_SET_PDEATHSIG, SIGKILL) ? 1 : in_namespace();

        fflush(stdout);
        _exit(result);
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
