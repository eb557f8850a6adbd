/* Sandboxes and commands through backends/backend.h, as an ordinary user and, where the test is
 * root, as root. How they end when something is killed is in backend_ends_test.c. */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/linux/backend_fixture.h"
#include "base/test.h"
#include "base/text.h"

#define PARALLEL 200
#define LIVES_MAX 100 /* before a pair of namespaces has a template */

static void test_commands(void)
{
    struct box box;
    struct run run;
    const char *const cat[] = {"cat", NULL};
    const char *const absent[] = {"no-such-program", NULL};
    const char *const directory[] = {"/usr", NULL};
    heel_autofree char *output = NULL;
    heel_autofree char *inside = NULL;

    box_create(&box, "commands");
    box_check_output(&box, "echo hi", "hi\n");
    inside = heel_format("b\n%s\n", heel_sandbox_paths(box.sandbox)->working_dir);
    box_check_output(&box, "echo $A; pwd", inside);
    box_check_output(&box, "test $(stat -c %u .) = $(id -u) && touch f && ls", "f\n");
    box_check_output(&box, "cat < /dev/stdin | wc -c", "0\n");
    box_check_output(&box, "echo hi > /dev/stdout; echo ho >> /proc/self/fd/1", "hi\nho\n");
    box_check_output(&box, "echo hi | tee /dev/stderr", "hi\n");
    box_check_output(&box, "cat /proc/1/comm; tr -d '\\0' < /proc/1/cmdline | cut -c 1-4",
                     "heel-init\nheel\n");
    box_check_output(
        &box, "cat /proc/1/environ 2>&1 | grep -c . || :; readlink /proc/1/fd/3 || echo refused",
        "1\nrefused\n");
    box_start(&box, &run, cat, true);
    CHECK_INT(write(run.stdio.in, "input", 5), 5);
    close(run.stdio.in);
    output = run_output(&run);
    CHECK_STR(output, "input");
    box_start_shell(&box, &run, "exit 7");
    free(run_output(&run));
    CHECK_INT(run.exit.code, 7);
    CHECK(run.started && !run.exit.signalled && run.exit.wall_us > 0 && run.exit.max_rss_bytes > 0);
    box_start_shell(&box, &run, "kill -USR1 $$");
    free(run_output(&run));
    CHECK(run.exit.signalled);
    CHECK_INT(run.exit.code, SIGUSR1);
    box_start(&box, &run, absent, false);
    free(run_output(&run));
    CHECK_INT(run.exit.start_failure, HEEL_START_NOT_FOUND);
    CHECK(!run.started);
    box_start(&box, &run, directory, false);
    free(run_output(&run));
    CHECK_INT(run.exit.start_failure, HEEL_START_NOT_EXECUTABLE);
    box_check_output(&box, "grep -c '^Sig[BI].*\t0*$' /proc/self/status", "2\n");
    box_destroy(&box);
}

static void test_big_command(void)
{
    struct box box;
    struct run run;
    heel_autofree char *word = heel_xmalloc(100001);
    const char *argv[] = {"printf", "%.0s", word, word, word, word, NULL};

    memset(word, 'x', 100000);
    word[100000] = '\0';
    box_create(&box, "big");
    box_start(&box, &run, argv, false); /* travels in a memfd */
    free(run_output(&run));
    CHECK_INT(run.exit.start_failure, HEEL_START_OK);
    CHECK_INT(run.exit.code, 0);
    box_destroy(&box);
}

static void test_signal(void)
{
    struct box box;
    struct run run;

    box_create(&box, "signal");
    box_start_shell(&box, &run,
                    "trap 'echo caught; exit 3' TERM; echo; while :; do sleep 0.01; done");
    run_await_output(&run);
    heel_process_signal(run.process, SIGTERM, HEEL_SIGNAL_GROUP);
    free(run_output(&run));
    CHECK_INT(run.exit.code, 3);
    box_destroy(&box);
}

static void test_kill_tree(void)
{
    struct box box;
    struct run run, other;
    heel_autofree char *seconds = fixture_unique_sleep();
    heel_autofree char *others = fixture_unique_sleep();
    heel_autofree char *script = heel_format(
        "setsid sh -c 'setsid sleep %s & setsid sleep %s & echo; exit' & sleep %s & wait; sleep %s",
        seconds, seconds, seconds, seconds);
    heel_autofree char *stay = heel_format("echo; exec sleep %s", others);

    box_create(&box, "tree");
    box_start_shell(&box, &other, stay);
    box_start_shell(&box, &run, script);
    run_await_output(&run);
    run_await_output(&other);
    heel_process_kill_tree(run.process);
    free(run_output(&run));
    CHECK(run.exit.signalled);
    CHECK_INT(run.exit.code, SIGKILL);
    CHECK_INT(fixture_count_processes(seconds), 0);
    CHECK_INT(fixture_count_processes(others), 1);
    CHECK(!other.exited && !box.lost);
    box_destroy(&box);
    CHECK(other.exited && other.exit.signalled);
    CHECK_INT(fixture_count_processes(others), 0);
    close(other.stdio.out);
    close(other.stdio.err);
}

static void test_fork_bomb(void)
{
    struct box box;
    struct run run;

    box_create(&box, "bomb");
    box_start_shell(&box, &run, "ulimit -p 300 || exit; b() { b | b & }; echo; b; sleep 100");
    run_await_output(&run);
    heel_process_kill_tree(run.process);
    free(run_output(&run));
    CHECK(!box.lost);
    box_check_output(&box, "echo still here", "still here\n");
    box_destroy(&box);
}

/* What a sandbox's script prints; free it. */
static char *output_in(const struct box *box, const char *script)
{
    struct run run;

    box_start_shell(box, &run, script);
    return run_output(&run);
}

/* Whether the mounts of a new sandbox are a template's: then only its own part is a file system of
 * its own. */
static bool is_from_template(const struct box *box)
{
    heel_autofree char *devices = output_in(box, "stat -c %d / /tmp | uniq | wc -l");

    return strcmp(devices, "2\n") == 0;
}

/* The next ones in the same namespaces share what can't be changed, and find nothing of each other.
 */
static void test_templates(void)
{
    struct box box;
    bool shared = false;

    for (int i = 0; i < LIVES_MAX && !shared; i++) {
        heel_autofree char *leave = NULL;

        box_create(&box, "life");
        shared = is_from_template(&box);
        box_check_output(&box, "ls -A /tmp /dev/shm /var/tmp . | tr -d '\\n'",
                         ".:/dev/shm:/tmp:/var/tmp:");
        leave = heel_format("touch %s/f /tmp/f /dev/shm/f /var/tmp/f f && ls %s; mkfifo /tmp/p",
                            heel_sandbox_paths(box.sandbox)->home_dir,
                            heel_sandbox_paths(box.sandbox)->home_dir);
        box_check_output(&box, leave, "f\n");
        if (shared) {
            box_check_output(
                &box, "for d in / /dev /home /.mask; do touch $d/f && echo $d; done 2>&-", "");
            box_check_output(&box, "chmod 777 / 2>&-; stat -c %a /", "755\n");
            box_check_output(&box, "chmod 777 /.mask/setup 2>&-; ls -A /.mask/setup 2>&- | wc -l",
                             "0\n");
            box_check_output(&box, "grep -c setup /proc/self/mountinfo", "0\n");
            box_check_output(&box, "grep -c /instances/ /proc/self/mountinfo", "1\n");
            box_check_output(&box, "ls -d /proc/[0-9]* | grep -c '/proc/1$'; cat /proc/1/comm",
                             "1\nheel-init\n");
            box_check_output(
                &box, "echo > /proc/sys/kernel/hostname; cat /proc/sys/kernel/hostname", "heel\n");
        }
        box_destroy(&box);
    }
    CHECK(shared);
}

/* Sandboxes that are to come see what the host shows at that time. */
static void test_host_mounts_change(void)
{
    struct box box;

    if (fixture.user != FIXTURE_ROOT || access("/mnt", F_OK))
        return;
    box_create(&box, "before");
    for (int i = 0; i < LIVES_MAX && !is_from_template(&box); i++) {
        box_destroy(&box);
        box_create(&box, "before");
    }
    CHECK(is_from_template(&box));
    REQUIRE(mount("tmpfs", "/mnt", "tmpfs", 0, NULL) == 0);
    close(open("/mnt/new", O_CREAT | O_WRONLY, 0644));
    box_check_output(&box, "ls /mnt | grep new", "");
    box_destroy(&box);
    for (int i = 0; i < 4; i++) {
        box_create(&box, "mounted");
        box_check_output(&box, "ls /mnt | grep new", "new\n");
        box_check_output(&box, "touch /mnt/other || echo refused", "refused\n");
        box_destroy(&box);
    }
    REQUIRE(umount2("/mnt", 0) == 0);
    box_create(&box, "unmounted");
    box_check_output(&box, "ls /mnt | grep new", "");
    box_destroy(&box);
}

/* It gets no more processes, and its neighbour does. */
static void test_many_processes(void)
{
    struct box box, neighbour;
    struct run run;
    heel_autofree char *output = NULL;

    box_create(&box, "many");
    box_create(&neighbour, "neighbour");
    box_start_shell(&box, &run,
                    "mkfifo f; exec 2>/dev/null; i=0; "
                    "while [ $i -lt 6000 ]; do (read x <f) & i=$((i+1)); echo $i; done; echo all");
    output = run_output(&run);
    CHECK_INT(run.exit.code, 2); /* can't fork */
    CHECK(strstr(output, "\n4000\n") && !strstr(output, "\n4096\n"));
    box_check_output(&neighbour, "echo still $(echo forks)", "still forks\n");
    box_destroy(&neighbour);
    box_destroy(&box);
}

static void test_attacks_on_init(void)
{
    struct box box;

    box_create(&box, "attacks");
    box_check_output(&box, "kill -9 1; kill -STOP 1; kill -TERM 1; echo tried", "tried\n");
    box_check_output(&box, "trap '' TERM; kill -TERM -1; echo lives", "lives\n");
    box_check_output(&box, "echo > /proc/1/oom_score_adj; echo x > /proc/1/comm; cat /proc/1/comm",
                     "heel-init\n");
    box_check_output(&box, "echo works", "works\n");
    CHECK(!box.lost);
    box_destroy(&box);
}

/* Deleted while it prints at full speed, with a deep tree and other leftovers in its directory. */
static void test_delete_busy(void)
{
    struct box box;
    struct run run;
    heel_autofree char *work = NULL;

    box_create(&box, "busy");
    work = heel_xstrdup(heel_sandbox_paths(box.sandbox)->host_working_dir);
    box_check_output(
        &box,
        "i=0; while [ $i -lt 500 ]; do mkdir d && cd d; i=$((i+1)); done; mkdir -p x/y; "
        "mkfifo x/f; chmod 0 x; echo ok",
        "ok\n");
    box_start_shell(&box, &run, "yes");
    run_await_output(&run);
    CHECK_INT(access(work, F_OK), 0);
    box_destroy(&box);
    CHECK(run.exited && run.exit.signalled);
    CHECK_INT(access(work, F_OK), -1);
    close(run.stdio.out);
    close(run.stdio.err);
}

/* A directory that was not touched may be used again; one that was, in whatever way, never is. */
static void test_no_leftovers(void)
{
    static const char *const scripts[] = {
        "touch file",
        "touch file; rm file",
        "chmod 755 .; chmod 700 .",
        "touch -d 2001-01-01 .",
        "mkdir d; rmdir d",
        "setfattr -n user.a -v b . 2>/dev/null; :",
        "true",
        "true",
    };

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(scripts); i++) {
        struct box box;

        box_create(&box, "clean");
        box_check_output(
            &box, "ls -A; stat -c '%a %h' .; find . -newermt 2002-01-01; getfattr -d . 2>/dev/null",
            "700 2\n.\n");
        box_check_output(&box, scripts[i], "");
        box_destroy(&box);
    }
}

static void test_kept(void)
{
    struct heel_sandbox_spec spec = box_spec("kept");
    struct box box = {0};
    heel_autofree char *work = NULL;
    heel_autofree char *file = NULL;

    spec.keep_working_dir = true;
    heel_backend_create(fixture.backend, &spec, box_on_created, box_on_lost, &box);
    fixture_wait_for(&box.created);
    REQUIRE(box.sandbox);
    work = heel_xstrdup(heel_sandbox_paths(box.sandbox)->host_working_dir);
    file = heel_format("%s/file", work);
    box_check_output(&box, "echo text > file", "");
    box_destroy(&box);
    CHECK_INT(unlink(file), 0);
    CHECK_INT(rmdir(work), 0);
}

static void test_refused(void)
{
    static const char *const ids[] = {"", ".", "..", "a/b", "-a", "a b", NULL};
    struct box box, twin = {0};
    struct heel_sandbox_spec spec;

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(ids); i++) {
        struct box refused = {0};

        spec = box_spec(ids[i]);
        heel_backend_create(fixture.backend, &spec, box_on_created, box_on_lost, &refused);
        CHECK(!refused.created);
        fixture_wait_for(&refused.created);
        CHECK_INT(refused.code, HEEL_INVALID_ARGUMENT);
        free(refused.message);
    }
    box_create(&box, "twin");
    spec = box_spec("twin");
    heel_backend_create(fixture.backend, &spec, box_on_created, box_on_lost, &twin);
    fixture_wait_for(&twin.created);
    CHECK_INT(twin.code, HEEL_ALREADY_EXISTS);
    free(twin.message);
    box_check_output(&box, "echo unharmed", "unharmed\n");
    box_destroy(&box);
}

static void test_parallel(void)
{
    static struct box boxes[PARALLEL];
    static struct run runs[PARALLEL];
    const char *const argv[] = {"true", NULL};

    for (int i = 0; i < PARALLEL; i++) {
        heel_autofree char *id = heel_format("parallel-%d", i);
        struct heel_sandbox_spec spec = box_spec(id);

        boxes[i] = (struct box){0};
        heel_backend_create(fixture.backend, &spec, box_on_created, box_on_lost, &boxes[i]);
    }
    for (int i = 0; i < PARALLEL; i++) {
        fixture_wait_for(&boxes[i].created);
        REQUIRE(boxes[i].sandbox);
        box_start(&boxes[i], &runs[i], argv, false);
    }
    for (int i = 0; i < PARALLEL; i++) {
        free(run_output(&runs[i]));
        CHECK_INT(runs[i].exit.code, 0);
        heel_sandbox_destroy(boxes[i].sandbox, box_on_deleted, &boxes[i]);
    }
    for (int i = 0; i < PARALLEL; i++)
        fixture_wait_for(&boxes[i].deleted);
}

static void run_briefly(const struct box *box)
{
    struct run run;

    box_start_shell(box, &run, ":");
    free(run_output(&run));
}

/* What init holds: three standard streams, its control socket, SIGCHLD, /proc and /dev/null.
 * Anything else would be heeld's, the launcher's or a sibling's. */
static void test_descriptors(void)
{
    struct box first, second;
    struct run run;
    heel_autofree char *seconds = fixture_unique_sleep();
    heel_autofree char *script = heel_format("exec sleep %s", seconds);
    heel_autofree char *path = NULL;

    box_create(&first, "first");
    box_create(&second, "second");
    box_start_shell(&second, &run, script);
    fixture_check_processes(seconds, 1);
    run_briefly(&second); /* afterwards init has let go of the streams that it gave the first */
    path = heel_format("/proc/%d/fd", (int)fixture_init_of(seconds));
    if (fixture.user == FIXTURE_ROOT) /* to others it is closed */
        CHECK_INT(fixture_count_entries(path), 7);
    else
        CHECK_INT(access(path, R_OK), -1);
    box_destroy(&second);
    close(run.stdio.out);
    close(run.stdio.err);
    box_destroy(&first);
}

/* The launcher's children: one init for each sandbox, and one to spare. */
static int count_inits(void)
{
    heel_autofree char *path = heel_format("/proc/%d/task/%d/children", (int)fixture.launcher_pid,
                                           (int)fixture.launcher_pid);
    heel_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[65536];
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text);
    int count = 0;

    for (ssize_t i = 0; i < length; i++)
        count += text[i] == ' ';
    return count;
}

static void check_inits(int maximum)
{
    struct timespec pause = {0, 5000000};

    for (int i = 0; i < 200 && count_inits() > maximum; i++)
        nanosleep(&pause, NULL);
    CHECK(count_inits() <= maximum);
}

static int test_all(void)
{
    int fds, skipped = fixture_set_up();

    if (skipped)
        return skipped;
    test_commands();
    fds = fixture_count_fds();
    test_big_command();
    test_signal();
    test_kill_tree();
    test_fork_bomb();
    test_many_processes();
    test_templates();
    test_host_mounts_change();
    test_attacks_on_init();
    test_delete_busy();
    test_no_leftovers();
    test_kept();
    test_refused();
    test_descriptors();
    test_parallel();
    check_inits(1);
    CHECK_INT(fixture_count_fds(), fds);
    fixture_close();
    fixture_tear_down();
    return heel_test_end();
}

int main(void)
{
    return fixture_main(test_all);
}
