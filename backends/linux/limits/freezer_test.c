/* With a cgroup of the running kernel's, which takes root, and a tree that may be written. */
#include "backends/linux/limits/freezer.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "base/text.h"

#define PIPE_BYTES 65536 /* that a pipe holds */

static uv_loop_t loop;
static char *path; /* of the group */
static int group;

/* The first hierarchy of version 2 that there is; the caller's, or NULL. */
static char *find_tree(void)
{
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    char *found = NULL;

    if (!mounts)
        return NULL;
    for (struct mntent *mount = getmntent(mounts); mount && !found; mount = getmntent(mounts))
        if (strcmp(mount->mnt_type, "cgroup2") == 0)
            found = heel_xstrdup(mount->mnt_dir);
    endmntent(mounts);
    return found;
}

static bool make_group(void)
{
    heel_autofree char *tree = find_tree();

    if (!tree)
        return false;
    path = heel_format("%s/heel-freezer-test-%d", tree, (int)getpid());
    if (mkdir(path, 0755))
        return false;
    group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(group >= 0);
    return faccessat(group, "cgroup.freeze", W_OK, 0) == 0;
}

/* A process in the group that writes to `ready` as often as it can. */
static pid_t busy_one(int ready)
{
    pid_t pid = fork();

    if (pid == 0) {
        heel_autoclose int door = openat(group, "cgroup.procs", O_WRONLY);

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) || write(door, "0", 1) != 1)
            _exit(1);
        while (write(ready, "x", 1) == 1)
            ;
        _exit(0);
    }
    return pid;
}

/* ---- what is waited for */

struct outcome {
    int told;
    bool frozen;
};

static void on_frozen(bool frozen, void *data)
{
    struct outcome *outcome = data;

    outcome->told++;
    outcome->frozen = frozen;
    uv_stop(&loop);
}

static void on_closed(void *data)
{
    (*(int *)data)++;
}

static struct heel_freezing *freeze(struct outcome *outcome, uint64_t patience_ms)
{
    struct heel_freezing *freezing =
        heel_freezing_open(&loop, group, patience_ms, on_frozen, outcome, NULL);

    REQUIRE(freezing);
    CHECK_INT(outcome->told, 0); /* never from inside */
    return freezing;
}

static void close_it(struct heel_freezing *freezing)
{
    int closed = 0;

    heel_freezing_close(freezing, on_closed, &closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(closed, 1);
}

/* Takes what is there; how much it was. */
static size_t empty(int ready)
{
    char bytes[PIPE_BYTES];
    ssize_t got = read(ready, bytes, sizeof bytes);

    return got > 0 ? (size_t)got : 0;
}

/* More comes than was there. */
static void check_goes_on(int ready)
{
    size_t got = 0;

    while (got <= PIPE_BYTES)
        got += empty(ready);
}

static void test_it_stands_still(int ready)
{
    struct outcome outcome = {0};
    struct heel_freezing *freezing = freeze(&outcome, 10000);

    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(outcome.told == 1 && outcome.frozen);
    close_it(freezing);
    while (empty(ready) > 0)
        ;
    usleep(10000);
    CHECK_INT(empty(ready), 0);
    CHECK_INT(heel_freezer_thaw(group, NULL), 0);
    while (empty(ready) == 0)
        ;
}

static void test_again_at_once(void)
{
    struct outcome outcome = {0};
    struct heel_freezing *freezing = freeze(&outcome, 10000);

    uv_run(&loop, UV_RUN_DEFAULT);
    close_it(freezing);
    outcome = (struct outcome){0};
    freezing = freeze(&outcome, 10000); /* frozen already: there will be no change */
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(outcome.told == 1 && outcome.frozen);
    close_it(freezing);
}

static void test_closed_before(void)
{
    struct outcome outcome = {0};

    close_it(freeze(&outcome, 10000));
    CHECK_INT(outcome.told, 0);
}

static void test_death_of_the_frozen(pid_t pid)
{
    int status;

    kill(pid, SIGKILL);
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* A process in the group that asks a file system which doesn't answer; -1 where there can be none.
 */
static pid_t stuck_one(void)
{
    char options[96], byte;
    heel_autoclose int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    int ends[2];
    pid_t pid;

    REQUIRE(pipe(ends) == 0);
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);
    pid = fork();
    if (pid == 0) {
        struct stat answer;

        close(ends[0]);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) ||
            write(openat(group, "cgroup.procs", O_WRONLY), "0", 1) != 1 || unshare(CLONE_NEWNS) ||
            mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
            mount("none", "/mnt", "fuse", 0, options) || write(ends[1], "x", 1) != 1)
            _exit(1);
        stat("/mnt/file", &answer);
        _exit(0);
    }
    close(ends[1]);
    if (read(ends[0], &byte, 1) == 1) {
        close(ends[0]);
        heel_steal_fd(&fuse); /* closed, it would answer */
        return pid;
    }
    close(ends[0]);
    waitpid(pid, NULL, 0);
    return -1;
}

static void wait_until_stuck(pid_t pid)
{
    heel_autofree char *stat = heel_format("/proc/%d/stat", (int)pid);
    char state = 'R';

    while (state != 'D') {
        FILE *file = fopen(stat, "re");

        REQUIRE(file && fscanf(file, "%*d (%*[^)]) %c", &state) == 1);
        fclose(file);
    }
}

static void test_one_that_is_stuck(int ready)
{
    struct outcome outcome = {0};
    struct heel_freezing *freezing;
    pid_t pid = stuck_one();

    if (pid < 0) {
        printf("SKIP: no file system in user space can be mounted, so nothing gets stuck\n");
        return;
    }
    wait_until_stuck(pid);
    freezing = freeze(&outcome, 20);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(outcome.told == 1 && !outcome.frozen);
    close_it(freezing);
    check_goes_on(ready);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void test_no_group(void)
{
    heel_autoclose int root = open("/", O_RDONLY | O_DIRECTORY);
    heel_autoerror struct heel_error *error = NULL;

    CHECK(!heel_freezing_open(&loop, root, 10, on_frozen, NULL, &error));
    CHECK(error && error->system_errno == ENOENT);
    heel_error_free(heel_steal(error));
    CHECK_INT(heel_freezer_thaw(root, &error), -1);
    CHECK(error && error->system_errno == ENOENT);
}

int main(void)
{
    int ends[2];
    pid_t pid;

    REQUIRE(uv_loop_init(&loop) == 0);
    test_no_group();
    if (!make_group())
        return heel_test_skip("no cgroup v2 that may be written");
    REQUIRE(pipe(ends) == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    pid = busy_one(ends[1]);
    while (empty(ends[0]) == 0)
        ;
    test_it_stands_still(ends[0]);
    test_one_that_is_stuck(ends[0]);
    test_again_at_once();
    test_closed_before();
    test_death_of_the_frozen(pid);
    CHECK_INT(rmdir(path), 0);
    free(path);
    CHECK_INT(uv_loop_close(&loop), 0);
    return heel_test_end();
}
