/* How a backend and its sandboxes end, whoever is killed: nothing runs on, and nothing is left on
 * disk. As an ordinary user and, where the test is root, as root. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/linux/backend_fixture.h"
#include "base/test.h"
#include "base/text.h"

#define QUESTIONS 200 /* more than are answered while the launcher ends */

static void test_init_killed(void)
{
    struct box box;
    struct run run;
    heel_autofree char *seconds = fixture_unique_sleep();
    heel_autofree char *script = heel_format("echo; exec sleep %s", seconds);

    box_create(&box, "killed");
    box_start_shell(&box, &run, script);
    run_await_output(&run);
    fixture_wait_for(&run.started);
    CHECK_INT(kill(fixture_init_of(seconds), SIGKILL), 0);
    fixture_wait_for(&box.lost);
    CHECK(run.exited && run.exit.signalled);
    close(run.stdio.out);
    close(run.stdio.err);
    box_destroy(&box);
}

/* Last: no sandbox can be made afterwards. */
static void test_launcher_killed(void)
{
    struct box box, later = {0};
    struct run run;
    struct heel_sandbox_spec spec = box_spec("later");
    heel_autofree char *seconds = fixture_unique_sleep();
    heel_autofree char *script = heel_format("echo; exec sleep %s", seconds);

    box_create(&box, "orphan");
    box_start_shell(&box, &run, script);
    run_await_output(&run);
    fixture_check_processes(seconds, 1);
    CHECK_INT(kill(fixture.launcher_pid, SIGKILL), 0);
    fixture_wait_for(&box.lost);
    CHECK_INT(fixture_count_processes(seconds), 0);
    CHECK(run.exited);
    close(run.stdio.out);
    close(run.stdio.err);
    heel_backend_create(fixture.backend, &spec, box_on_created, box_on_lost, &later);
    fixture_wait_for(&later.created);
    CHECK_INT(later.code, HEEL_INTERNAL);
    free(later.message);
    box_destroy(&box);
}

/* ---- heeld is killed: a child plays it ---- */

static _Noreturn void play_heeld(int ready, const char *seconds, const char *file)
{
    struct box box;
    struct run run;
    heel_autofree char *script =
        heel_format("setsid sleep %s & echo; exec sleep %s", seconds, seconds);

    fixture_open();
    REQUIRE(close(creat(file, 0600)) == 0);
    heel_backend_unlink_at_death(fixture.backend, file);
    box_create(&box, "doomed");
    box_start_shell(&box, &run, script);
    run_await_output(&run);
    REQUIRE(write(ready, &fixture.launcher_pid, sizeof fixture.launcher_pid) ==
            (ssize_t)sizeof fixture.launcher_pid);
    for (;;)
        uv_run(&fixture.loop, UV_RUN_ONCE);
}

static void await_instances(int count)
{
    struct timespec pause = {0, FIXTURE_PAUSE_MS * 1000000L};

    for (int i = 0;
         i < FIXTURE_PATIENCE_MS / FIXTURE_PAUSE_MS && fixture_count_instances() != count; i++)
        nanosleep(&pause, NULL);
    CHECK_INT(fixture_count_instances(), count);
}

static void check_killed(bool launcher_too)
{
    heel_autofree char *seconds = fixture_unique_sleep();
    heel_autofree char *file = heel_format("%s/socket", fixture.folder);
    struct timespec pause = {0, 5000000};
    heel_autofree char *its_program = NULL;
    pid_t its_launcher;
    int ends[2];
    pid_t heeld;
    char byte;

    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    heeld = fork();
    if (heeld == 0)
        play_heeld(ends[1], seconds, file);
    close(ends[1]);
    REQUIRE(read(ends[0], &its_launcher, sizeof its_launcher) == (ssize_t)sizeof its_launcher);
    close(ends[0]);
    fixture_check_processes(seconds, 2);
    CHECK_INT(fixture_count_instances(), 1);
    if (launcher_too)
        kill(its_launcher, SIGKILL);
    kill(heeld, SIGKILL);
    REQUIRE(waitpid(heeld, NULL, 0) == heeld);
    fixture_check_processes(seconds, 0);
    if (launcher_too) {
        unlink(file);
        return;
    }
    await_instances(0); /* which goes last */
    CHECK_INT(access(file, F_OK), -1);
    its_program = heel_format("/proc/%d/exe", (int)its_launcher);
    for (int i = 0;
         i < FIXTURE_PATIENCE_MS / FIXTURE_PAUSE_MS && readlink(its_program, &byte, 1) > 0; i++)
        nanosleep(&pause, NULL);
    CHECK_INT(readlink(its_program, &byte, 1),
              -1); /* gone, or a zombie that its new parent will reap */
}

/* The descriptor that holds the one instance there is, once nobody else does. */
static int hold_instance(void)
{
    heel_autofree char *path = heel_format("%s/instances", fixture.state);
    DIR *stream = opendir(path);
    struct dirent *entry = stream ? readdir(stream) : NULL;
    int fd;

    while (entry && entry->d_name[0] == '.')
        entry = readdir(stream);
    REQUIRE(entry);
    fd = openat(dirfd(stream), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(fd >= 0 && flock(fd, LOCK_EX) == 0);
    closedir(stream);
    return fd;
}

/* By the next start, and also when somebody still holds what was left, as a dying process does. */
static void test_sweep(bool held)
{
    struct box box;
    int holder = -1;

    check_killed(true);
    CHECK_INT(fixture_count_instances(), 1);
    if (held)
        holder = hold_instance();
    fixture_open();
    if (held) {
        box_create(&box, "after-the-sweep");
        CHECK_INT(fixture_count_instances(), 2);
        close(holder);
        box_destroy(&box);
    }
    await_instances(1);
    fixture_close();
    CHECK_INT(fixture_count_instances(), 0);
}

static void count_answer(const struct heel_policy *policy, const struct heel_error *error,
                         void *data)
{
    (void)policy;
    (void)error;
    ++*(int *)data;
}

/* Whatever was asked is answered before the end is told: those who asked go then. */
static void test_questions_at_the_end(void)
{
    struct heel_sandbox_spec spec = box_spec("asked");
    struct heel_policy_question question = {.spec = &spec};
    int answered = 0;

    fixture_open();
    for (int i = 0; i < QUESTIONS; i++)
        heel_backend_explain(fixture.backend, &question, count_answer, &answered);
    fixture_close_when(&answered, QUESTIONS);
}

static void test_unsafe_state(void)
{
    struct heel_backend_options options = fixture_options();
    struct heel_launcher launcher;
    heel_autoerror struct heel_error *error = NULL;

    REQUIRE(chmod(fixture.state, 0777) == 0);
    REQUIRE(heel_launcher_start(&options, &launcher, &error) == 0);
    REQUIRE(uv_loop_init(&fixture.loop) == 0);
    fixture.launcher_pid = launcher.pid;
    CHECK(!heel_backend_open(&fixture.loop, &options, &launcher, &error));
    CHECK_INT(error ? error->code : HEEL_OK, HEEL_FAILED_PRECONDITION);
    CHECK_INT(uv_loop_close(&fixture.loop), 0);
    close(launcher.socket);
    waitpid(fixture.launcher_pid, NULL, 0);
    REQUIRE(chmod(fixture.state, 0700) == 0);
}

static int test_all(void)
{
    int skipped = fixture_set_up();

    if (skipped)
        return skipped;
    test_init_killed();
    test_launcher_killed();
    fixture_close();
    test_questions_at_the_end();
    for (int i = 0; i < 3; i++)
        check_killed(false);
    test_sweep(false);
    test_sweep(true);
    test_unsafe_state();
    fixture_tear_down();
    return heel_test_end();
}

int main(void)
{
    return fixture_main(test_all);
}
