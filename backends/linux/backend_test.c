/* The whole backend through backends/backend.h, as an ordinary user and, where the test is root, as
 * root: sandboxes and commands live, die and leave nothing, whoever is killed. */
#include "backends/backend.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "base/text.h"

#define PARALLEL 200
#define NOBODY 65534
#define SKIPPED 77
#define PATIENCE_MS 20000
#define QUESTIONS 200 /* more than are answered while the launcher ends */
#define PAUSE_MS 5

enum who { ORDINARY, CONTAINER_ROOT, ROOT };

static enum who itself;
static char root[] = "/tmp/heel-backend-XXXXXX";
static char *state;
static uv_loop_t loop;
static struct heel_launcher launcher;
static pid_t launcher_pid;
static struct heel_backend *backend;

/* ---- driving the loop */

static void on_patience_end(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static void on_timer_closed(uv_handle_t *handle)
{
    handle->data = NULL;
}

/* Runs the loop until *flag, and fails when that takes too long. */
static void wait_for(const bool *flag)
{
    bool late = false;
    uv_timer_t timer;

    uv_timer_init(&loop, &timer);
    timer.data = &late;
    uv_timer_start(&timer, on_patience_end, PATIENCE_MS, 0);
    while (!*flag && !late)
        uv_run(&loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, on_timer_closed);
    while (timer.data)
        uv_run(&loop, UV_RUN_ONCE);
    REQUIRE(*flag);
}

static struct heel_backend_options options_of(void)
{
    return (struct heel_backend_options){
        .state_dir = state, .uid_first = 700000, .uid_count = 1000};
}

static void open_backend(void)
{
    struct heel_backend_options options = options_of();
    heel_autoerror struct heel_error *error = NULL;

    REQUIRE(heel_launcher_start(&options, &launcher, &error) == 0);
    launcher_pid = launcher.pid;
    REQUIRE(uv_loop_init(&loop) == 0);
    backend = heel_backend_open(&loop, &options, &launcher, &error);
    if (error)
        fprintf(stderr, "%s\n", error->message);
    REQUIRE(backend);
}

static void set_flag(void *flag)
{
    *(bool *)flag = true;
}

/* `*count` must be `wanted` by then. */
static void close_backend_when(const int *count, int wanted)
{
    bool closed = false;

    heel_backend_close(backend, set_flag, &closed);
    wait_for(&closed);
    CHECK_INT(*count, wanted);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&loop), 0);
    CHECK_INT(kill(launcher_pid, 0), -1);
}

static void close_backend(void)
{
    int none = 0;

    close_backend_when(&none, 0);
}

/* ---- sandboxes and commands */

struct box {
    struct heel_sandbox *sandbox;
    bool created, failed, lost, deleted;
    enum heel_code code;
    char *message; /* owned */
};

struct run {
    struct heel_process *process;
    struct heel_stdio stdio;
    bool started, exited;
    struct heel_exit exit;
};

static void on_created(struct heel_sandbox *sandbox, const struct heel_error *error, void *data)
{
    struct box *box = data;

    box->sandbox = sandbox;
    box->created = true;
    box->failed = error != NULL;
    box->code = error ? error->code : HEEL_OK;
    box->message = error ? heel_xstrdup(error->message) : NULL;
}

static void on_lost(struct heel_sandbox *sandbox, void *data)
{
    struct box *box = data;

    CHECK(box->sandbox == sandbox);
    box->lost = true;
}

static void on_deleted(const struct heel_sandbox_end *end, void *data)
{
    CHECK_STR(end->error ? end->error->message : NULL, NULL);
    CHECK_INT(end->file_count, 0);
    CHECK(!end->incomplete);
    ((struct box *)data)->deleted = true;
}

static struct heel_sandbox_spec spec_of(const char *id)
{
    return (struct heel_sandbox_spec){
        .id = id, .level = HEEL_LEVEL_DEFAULT, .caller = {geteuid(), getegid(), NULL, 0}};
}

static void create(struct box *box, const char *id)
{
    struct heel_sandbox_spec spec = spec_of(id);

    *box = (struct box){0};
    heel_backend_create(backend, &spec, on_created, on_lost, box);
    CHECK(!box->created); /* never from inside the call */
    wait_for(&box->created);
    if (box->failed)
        fprintf(stderr, "%s: %s\n", id, box->message);
    REQUIRE(!box->failed);
}

static void destroy(struct box *box)
{
    heel_sandbox_destroy(box->sandbox, on_deleted, box);
    CHECK(!box->deleted);
    wait_for(&box->deleted);
}

static void on_started(struct heel_process *process, int terminal, void *data)
{
    struct run *run = data;

    CHECK(run->process == process && terminal < 0 && !run->started && !run->exited);
    run->started = true;
}

static void on_exited(struct heel_process *process, const struct heel_exit *exit, void *data)
{
    struct run *run = data;

    CHECK(run->process == process && !run->exited);
    run->exited = true;
    run->exit = *exit;
}

static const struct heel_process_events events = {on_started, on_exited};

static void start(const struct box *box, struct run *run, const char *const *argv, bool want_stdin)
{
    static const char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
                                              "A=b", NULL};
    struct heel_command command = {.argv = argv, .environment = environment};
    heel_autoerror struct heel_error *error = NULL;

    *run = (struct run){0};
    REQUIRE(heel_process_start(box->sandbox, &command, want_stdin, &events, run, &run->process,
                               &run->stdio, &error) == 0);
}

static void start_shell(const struct box *box, struct run *run, const char *script)
{
    const char *argv[] = {"sh", "-c", script, NULL};

    start(box, run, argv, false);
}

/* All of stdout after the exit; closes the streams. */
static char *output_of(struct run *run)
{
    struct heel_buffer output = {0};
    ssize_t got;

    wait_for(&run->exited);
    do {
        char *to = heel_buffer_reserve(&output, 65536);

        got = read(run->stdio.out, to, 65535);
        if (got > 0)
            output.length += (size_t)got;
    } while (got > 0);
    output.data[output.length] = '\0';
    close(run->stdio.out);
    close(run->stdio.err);
    return output.data;
}

static void check_output(const struct box *box, const char *script, const char *expected)
{
    struct run run;
    heel_autofree char *output = NULL;

    start_shell(box, &run, script);
    output = output_of(&run);
    CHECK_STR(output, expected);
    CHECK_INT(run.exit.start_failure, HEEL_START_OK);
}

/* Waits until the command has written something, and is known to have been started. */
static void wait_for_output(const struct run *run)
{
    struct pollfd event = {run->stdio.out, POLLIN, 0};

    for (int i = 0; i < PATIENCE_MS / 10 && poll(&event, 1, 0) == 0; i++) {
        struct timespec pause = {0, 10000000};

        uv_run(&loop, UV_RUN_NOWAIT);
        nanosleep(&pause, NULL);
    }
    CHECK(event.revents & POLLIN);
    wait_for(&run->started);
}

/* ---- what is left */

static int count_entries(const char *path)
{
    DIR *stream = opendir(path);
    int count = 0;

    if (!stream)
        return 0;
    while (readdir(stream))
        count++;
    closedir(stream);
    return count - 2;
}

static int count_fds(void)
{
    return count_entries("/proc/self/fd");
}

static int count_instances(void)
{
    heel_autofree char *path = heel_format("%s/instances", state);

    return count_entries(path);
}

/* Processes on this machine with `word` among their arguments, and the pid of one. */
static pid_t found;

static int count_processes(const char *word)
{
    DIR *stream = opendir("/proc");
    int count = 0;

    for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
        heel_autofree char *path = heel_format("/proc/%s/cmdline", entry->d_name);
        heel_autoclose int fd = atoi(entry->d_name) > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        char text[4096];
        ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text);

        if (length <= 0 || !memmem(text, (size_t)length, word, strlen(word)))
            continue;
        found = (pid_t)atoi(entry->d_name);
        count++;
    }
    closedir(stream);
    return count;
}

/* The launcher's children: one init for each sandbox, and one to spare. */
static int count_inits(void)
{
    heel_autofree char *path =
        heel_format("/proc/%d/task/%d/children", (int)launcher_pid, (int)launcher_pid);
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

static pid_t parent_of(pid_t pid)
{
    heel_autofree char *path = heel_format("/proc/%d/stat", (int)pid);
    FILE *stream = fopen(path, "re");
    int parent = 0;

    REQUIRE(stream && fscanf(stream, "%*d (%*[^)]) %*c %d", &parent) == 1);
    fclose(stream);
    return parent;
}

static char *unique_sleep(void)
{
    static int serial;

    return heel_format("9%05d.%d", (int)getpid(), ++serial);
}

/* The shell says that it is there before it becomes the sleep, and who becomes another program has
 * no arguments for a moment. */
static void check_count(const char *word, int expected)
{
    struct timespec pause = {0, PAUSE_MS * 1000000L};
    int count = count_processes(word);

    for (int i = 0; i < PATIENCE_MS / PAUSE_MS && count != expected; i++) {
        nanosleep(&pause, NULL);
        count = count_processes(word);
    }
    CHECK_INT(count, expected);
}

/* What is being killed from outside this program takes its time. */
static void check_gone(const char *word)
{
    check_count(word, 0);
}

/* ---- the tests */

static void test_commands(void)
{
    struct box box;
    struct run run;
    const char *const cat[] = {"cat", NULL};
    const char *const absent[] = {"no-such-program", NULL};
    const char *const directory[] = {"/usr", NULL};
    heel_autofree char *output = NULL;
    heel_autofree char *inside = NULL;

    create(&box, "commands");
    check_output(&box, "echo hi", "hi\n");
    inside = heel_format("b\n%s\n", heel_sandbox_paths(box.sandbox)->working_dir);
    check_output(&box, "echo $A; pwd", inside);
    check_output(&box, "test $(stat -c %u .) = $(id -u) && touch f && ls", "f\n");
    check_output(&box, "cat < /dev/stdin | wc -c", "0\n");
    check_output(&box, "echo hi > /dev/stdout; echo ho >> /proc/self/fd/1", "hi\nho\n");
    check_output(&box, "echo hi | tee /dev/stderr", "hi\n");
    check_output(&box, "cat /proc/1/comm; tr -d '\\0' < /proc/1/cmdline | cut -c 1-4",
                 "heel-init\nheel\n");
    check_output(&box,
                 "cat /proc/1/environ 2>&1 | grep -c . || :; readlink /proc/1/fd/3 || echo refused",
                 "1\nrefused\n");
    start(&box, &run, cat, true);
    CHECK_INT(write(run.stdio.in, "input", 5), 5);
    close(run.stdio.in);
    output = output_of(&run);
    CHECK_STR(output, "input");
    start_shell(&box, &run, "exit 7");
    free(output_of(&run));
    CHECK_INT(run.exit.code, 7);
    CHECK(run.started && !run.exit.signalled && run.exit.wall_us > 0 && run.exit.max_rss_bytes > 0);
    start_shell(&box, &run, "kill -USR1 $$");
    free(output_of(&run));
    CHECK(run.exit.signalled);
    CHECK_INT(run.exit.code, SIGUSR1);
    start(&box, &run, absent, false);
    free(output_of(&run));
    CHECK_INT(run.exit.start_failure, HEEL_START_NOT_FOUND);
    CHECK(!run.started);
    start(&box, &run, directory, false);
    free(output_of(&run));
    CHECK_INT(run.exit.start_failure, HEEL_START_NOT_EXECUTABLE);
    check_output(&box, "grep -c '^Sig[BI].*\t0*$' /proc/self/status", "2\n");
    destroy(&box);
}

static void test_big_command(void)
{
    struct box box;
    struct run run;
    heel_autofree char *word = heel_xmalloc(100001);
    const char *argv[] = {"printf", "%.0s", word, word, word, word, NULL};

    memset(word, 'x', 100000);
    word[100000] = '\0';
    create(&box, "big");
    start(&box, &run, argv, false); /* travels in a memfd */
    free(output_of(&run));
    CHECK_INT(run.exit.start_failure, HEEL_START_OK);
    CHECK_INT(run.exit.code, 0);
    destroy(&box);
}

static void test_signal(void)
{
    struct box box;
    struct run run;

    create(&box, "signal");
    start_shell(&box, &run, "trap 'echo caught; exit 3' TERM; echo; while :; do sleep 0.01; done");
    wait_for_output(&run);
    heel_process_signal(run.process, SIGTERM, HEEL_SIGNAL_GROUP);
    free(output_of(&run));
    CHECK_INT(run.exit.code, 3);
    destroy(&box);
}

static void test_kill_tree(void)
{
    struct box box;
    struct run run, other;
    heel_autofree char *seconds = unique_sleep();
    heel_autofree char *others = unique_sleep();
    heel_autofree char *script = heel_format(
        "setsid sh -c 'setsid sleep %s & setsid sleep %s & echo; exit' & sleep %s & wait; sleep %s",
        seconds, seconds, seconds, seconds);
    heel_autofree char *stay = heel_format("echo; exec sleep %s", others);

    create(&box, "tree");
    start_shell(&box, &other, stay);
    start_shell(&box, &run, script);
    wait_for_output(&run);
    wait_for_output(&other);
    heel_process_kill_tree(run.process);
    free(output_of(&run));
    CHECK(run.exit.signalled);
    CHECK_INT(run.exit.code, SIGKILL);
    CHECK_INT(count_processes(seconds), 0);
    CHECK_INT(count_processes(others), 1);
    CHECK(!other.exited && !box.lost);
    destroy(&box);
    CHECK(other.exited && other.exit.signalled);
    CHECK_INT(count_processes(others), 0);
    close(other.stdio.out);
    close(other.stdio.err);
}

static void test_fork_bomb(void)
{
    struct box box;
    struct run run;

    create(&box, "bomb");
    start_shell(&box, &run, "ulimit -p 300 || exit; b() { b | b & }; echo; b; sleep 100");
    wait_for_output(&run);
    heel_process_kill_tree(run.process);
    free(output_of(&run));
    CHECK(!box.lost);
    check_output(&box, "echo still here", "still here\n");
    destroy(&box);
}

/* What a sandbox's script prints; free it. */
static char *output_in(const struct box *box, const char *script)
{
    struct run run;

    start_shell(box, &run, script);
    return output_of(&run);
}

/* Whether the mounts of a new sandbox are a template's: then only its own part is a file system of
 * its own. */
static bool is_from_template(const struct box *box)
{
    heel_autofree char *devices = output_in(box, "stat -c %d / /tmp | uniq | wc -l");

    return strcmp(devices, "2\n") == 0;
}

#define LIVES_MAX 100

/* The next ones in the same namespaces share what can't be changed, and find nothing of each other.
 */
static void test_templates(void)
{
    struct box box;
    bool shared = false;

    for (int i = 0; i < LIVES_MAX && !shared; i++) {
        heel_autofree char *leave = NULL;

        create(&box, "life");
        shared = is_from_template(&box);
        check_output(&box, "ls -A /tmp /dev/shm /var/tmp . | tr -d '\\n'",
                     ".:/dev/shm:/tmp:/var/tmp:");
        leave = heel_format("touch %s/f /tmp/f /dev/shm/f /var/tmp/f f && ls %s; mkfifo /tmp/p",
                            heel_sandbox_paths(box.sandbox)->home_dir,
                            heel_sandbox_paths(box.sandbox)->home_dir);
        check_output(&box, leave, "f\n");
        if (shared) {
            check_output(&box, "for d in / /dev /home /.mask; do touch $d/f && echo $d; done 2>&-",
                         "");
            check_output(&box, "chmod 777 / 2>&-; stat -c %a /", "755\n");
            check_output(&box, "chmod 777 /.mask/setup 2>&-; ls -A /.mask/setup 2>&- | wc -l",
                         "0\n");
            check_output(&box, "grep -c setup /proc/self/mountinfo", "0\n");
            check_output(&box, "grep -c /instances/ /proc/self/mountinfo", "1\n");
            check_output(&box, "ls -d /proc/[0-9]* | grep -c '/proc/1$'; cat /proc/1/comm",
                         "1\nheel-init\n");
            check_output(&box, "echo > /proc/sys/kernel/hostname; cat /proc/sys/kernel/hostname",
                         "heel\n");
        }
        destroy(&box);
    }
    CHECK(shared);
}

/* Sandboxes that are to come see what the host shows at that time. */
static void test_host_mounts_change(void)
{
    struct box box;

    if (itself != ROOT || access("/mnt", F_OK))
        return;
    create(&box, "before");
    for (int i = 0; i < LIVES_MAX && !is_from_template(&box); i++) {
        destroy(&box);
        create(&box, "before");
    }
    CHECK(is_from_template(&box));
    REQUIRE(mount("tmpfs", "/mnt", "tmpfs", 0, NULL) == 0);
    close(open("/mnt/new", O_CREAT | O_WRONLY, 0644));
    check_output(&box, "ls /mnt | grep new", "");
    destroy(&box);
    for (int i = 0; i < 4; i++) {
        create(&box, "mounted");
        check_output(&box, "ls /mnt | grep new", "new\n");
        check_output(&box, "touch /mnt/other || echo refused", "refused\n");
        destroy(&box);
    }
    REQUIRE(umount2("/mnt", 0) == 0);
    create(&box, "unmounted");
    check_output(&box, "ls /mnt | grep new", "");
    destroy(&box);
}

/* It gets no more processes, and its neighbour does. */
static void test_many_processes(void)
{
    struct box box, neighbour;
    struct run run;
    heel_autofree char *output = NULL;

    create(&box, "many");
    create(&neighbour, "neighbour");
    start_shell(&box, &run,
                "mkfifo f; exec 2>/dev/null; i=0; "
                "while [ $i -lt 6000 ]; do (read x <f) & i=$((i+1)); echo $i; done; echo all");
    output = output_of(&run);
    CHECK_INT(run.exit.code, 2); /* can't fork */
    CHECK(strstr(output, "\n4000\n") && !strstr(output, "\n4096\n"));
    check_output(&neighbour, "echo still $(echo forks)", "still forks\n");
    destroy(&neighbour);
    destroy(&box);
}

static void test_attacks_on_init(void)
{
    struct box box;

    create(&box, "attacks");
    check_output(&box, "kill -9 1; kill -STOP 1; kill -TERM 1; echo tried", "tried\n");
    check_output(&box, "trap '' TERM; kill -TERM -1; echo lives", "lives\n");
    check_output(&box, "echo > /proc/1/oom_score_adj; echo x > /proc/1/comm; cat /proc/1/comm",
                 "heel-init\n");
    check_output(&box, "echo works", "works\n");
    CHECK(!box.lost);
    destroy(&box);
}

/* Deleted while it prints at full speed, with a deep tree and other leftovers in its directory. */
static void test_delete_busy(void)
{
    struct box box;
    struct run run;
    heel_autofree char *work = NULL;

    create(&box, "busy");
    work = heel_xstrdup(heel_sandbox_paths(box.sandbox)->host_working_dir);
    check_output(&box,
                 "i=0; while [ $i -lt 500 ]; do mkdir d && cd d; i=$((i+1)); done; mkdir -p x/y; "
                 "mkfifo x/f; chmod 0 x; echo ok",
                 "ok\n");
    start_shell(&box, &run, "yes");
    wait_for_output(&run);
    CHECK_INT(access(work, F_OK), 0);
    destroy(&box);
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

        create(&box, "clean");
        check_output(
            &box, "ls -A; stat -c '%a %h' .; find . -newermt 2002-01-01; getfattr -d . 2>/dev/null",
            "700 2\n.\n");
        check_output(&box, scripts[i], "");
        destroy(&box);
    }
}

static void test_kept(void)
{
    struct heel_sandbox_spec spec = spec_of("kept");
    struct box box = {0};
    heel_autofree char *work = NULL;
    heel_autofree char *file = NULL;

    spec.keep_working_dir = true;
    heel_backend_create(backend, &spec, on_created, on_lost, &box);
    wait_for(&box.created);
    REQUIRE(box.sandbox);
    work = heel_xstrdup(heel_sandbox_paths(box.sandbox)->host_working_dir);
    file = heel_format("%s/file", work);
    check_output(&box, "echo text > file", "");
    destroy(&box);
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

        spec = spec_of(ids[i]);
        heel_backend_create(backend, &spec, on_created, on_lost, &refused);
        CHECK(!refused.created);
        wait_for(&refused.created);
        CHECK_INT(refused.code, HEEL_INVALID_ARGUMENT);
        free(refused.message);
    }
    create(&box, "twin");
    spec = spec_of("twin");
    heel_backend_create(backend, &spec, on_created, on_lost, &twin);
    wait_for(&twin.created);
    CHECK_INT(twin.code, HEEL_ALREADY_EXISTS);
    free(twin.message);
    check_output(&box, "echo unharmed", "unharmed\n");
    destroy(&box);
}

static void test_parallel(void)
{
    static struct box boxes[PARALLEL];
    static struct run runs[PARALLEL];
    const char *const argv[] = {"true", NULL};

    for (int i = 0; i < PARALLEL; i++) {
        heel_autofree char *id = heel_format("parallel-%d", i);
        struct heel_sandbox_spec spec = spec_of(id);

        boxes[i] = (struct box){0};
        heel_backend_create(backend, &spec, on_created, on_lost, &boxes[i]);
    }
    for (int i = 0; i < PARALLEL; i++) {
        wait_for(&boxes[i].created);
        REQUIRE(boxes[i].sandbox);
        start(&boxes[i], &runs[i], argv, false);
    }
    for (int i = 0; i < PARALLEL; i++) {
        free(output_of(&runs[i]));
        CHECK_INT(runs[i].exit.code, 0);
        heel_sandbox_destroy(boxes[i].sandbox, on_deleted, &boxes[i]);
    }
    for (int i = 0; i < PARALLEL; i++)
        wait_for(&boxes[i].deleted);
}

static void test_init_killed(void)
{
    struct box box;
    struct run run;
    heel_autofree char *seconds = unique_sleep();
    heel_autofree char *script = heel_format("echo; exec sleep %s", seconds);

    create(&box, "killed");
    start_shell(&box, &run, script);
    wait_for_output(&run);
    wait_for(&run.started);
    check_count(seconds, 1);
    CHECK_INT(kill(parent_of(found), SIGKILL), 0);
    wait_for(&box.lost);
    CHECK(run.exited && run.exit.signalled);
    close(run.stdio.out);
    close(run.stdio.err);
    destroy(&box);
}

static void run_briefly(const struct box *box)
{
    struct run run;

    start_shell(box, &run, ":");
    free(output_of(&run));
}

/* What init holds: three standard streams, its control socket, SIGCHLD, /proc and /dev/null.
 * Anything else would be heeld's, the launcher's or a sibling's. */
static void test_descriptors(void)
{
    struct box first, second;
    struct run run;
    heel_autofree char *seconds = unique_sleep();
    heel_autofree char *script = heel_format("exec sleep %s", seconds);
    heel_autofree char *path = NULL;

    create(&first, "first");
    create(&second, "second");
    start_shell(&second, &run, script);
    check_count(seconds, 1);
    run_briefly(&second); /* afterwards init has let go of the streams that it gave the first */
    path = heel_format("/proc/%d/fd", (int)parent_of(found));
    if (itself == ROOT) /* to others it is closed */
        CHECK_INT(count_entries(path), 7);
    else
        CHECK_INT(access(path, R_OK), -1);
    destroy(&second);
    close(run.stdio.out);
    close(run.stdio.err);
    destroy(&first);
}

/* Last: no sandbox can be made afterwards. */
static void test_launcher_killed(void)
{
    struct box box, later = {0};
    struct run run;
    struct heel_sandbox_spec spec = spec_of("later");
    heel_autofree char *seconds = unique_sleep();
    heel_autofree char *script = heel_format("echo; exec sleep %s", seconds);

    create(&box, "orphan");
    start_shell(&box, &run, script);
    wait_for_output(&run);
    check_count(seconds, 1);
    CHECK_INT(kill(launcher_pid, SIGKILL), 0);
    wait_for(&box.lost);
    CHECK_INT(count_processes(seconds), 0);
    CHECK(run.exited);
    close(run.stdio.out);
    close(run.stdio.err);
    heel_backend_create(backend, &spec, on_created, on_lost, &later);
    wait_for(&later.created);
    CHECK_INT(later.code, HEEL_INTERNAL);
    free(later.message);
    destroy(&box);
}

/* ---- heeld is killed: a child plays it */

static _Noreturn void play_heeld(int ready, const char *seconds, const char *file)
{
    struct box box;
    struct run run;
    heel_autofree char *script =
        heel_format("setsid sleep %s & echo; exec sleep %s", seconds, seconds);

    open_backend();
    REQUIRE(close(creat(file, 0600)) == 0);
    heel_backend_unlink_at_death(backend, file);
    create(&box, "doomed");
    start_shell(&box, &run, script);
    wait_for_output(&run);
    REQUIRE(write(ready, &launcher_pid, sizeof launcher_pid) == (ssize_t)sizeof launcher_pid);
    for (;;)
        uv_run(&loop, UV_RUN_ONCE);
}

static void await_instances(int count)
{
    struct timespec pause = {0, PAUSE_MS * 1000000L};

    for (int i = 0; i < PATIENCE_MS / PAUSE_MS && count_instances() != count; i++)
        nanosleep(&pause, NULL);
    CHECK_INT(count_instances(), count);
}

static void check_killed(bool launcher_too)
{
    heel_autofree char *seconds = unique_sleep();
    heel_autofree char *file = heel_format("%s/socket", root);
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
    check_count(seconds, 2);
    CHECK_INT(count_instances(), 1);
    if (launcher_too)
        kill(its_launcher, SIGKILL);
    kill(heeld, SIGKILL);
    REQUIRE(waitpid(heeld, NULL, 0) == heeld);
    check_gone(seconds);
    if (launcher_too) {
        unlink(file);
        return;
    }
    await_instances(0); /* which goes last */
    CHECK_INT(access(file, F_OK), -1);
    its_program = heel_format("/proc/%d/exe", (int)its_launcher);
    for (int i = 0; i < PATIENCE_MS / PAUSE_MS && readlink(its_program, &byte, 1) > 0; i++)
        nanosleep(&pause, NULL);
    CHECK_INT(readlink(its_program, &byte, 1),
              -1); /* gone, or a zombie that its new parent will reap */
}

/* The descriptor that holds the one instance there is, once nobody else does. */
static int hold_instance(void)
{
    heel_autofree char *path = heel_format("%s/instances", state);
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
    CHECK_INT(count_instances(), 1);
    if (held)
        holder = hold_instance();
    open_backend();
    if (held) {
        create(&box, "after-the-sweep");
        CHECK_INT(count_instances(), 2);
        close(holder);
        destroy(&box);
    }
    await_instances(1);
    close_backend();
    CHECK_INT(count_instances(), 0);
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
    struct heel_sandbox_spec spec = spec_of("asked");
    struct heel_policy_question question = {.spec = &spec};
    int answered = 0;

    open_backend();
    for (int i = 0; i < QUESTIONS; i++)
        heel_backend_explain(backend, &question, count_answer, &answered);
    close_backend_when(&answered, QUESTIONS);
}

static void test_unsafe_state(void)
{
    struct heel_backend_options options = options_of();
    heel_autoerror struct heel_error *error = NULL;

    REQUIRE(chmod(state, 0777) == 0);
    REQUIRE(heel_launcher_start(&options, &launcher, &error) == 0);
    REQUIRE(uv_loop_init(&loop) == 0);
    launcher_pid = launcher.pid;
    CHECK(!heel_backend_open(&loop, &options, &launcher, &error));
    CHECK_INT(error ? error->code : HEEL_OK, HEEL_FAILED_PRECONDITION);
    CHECK_INT(uv_loop_close(&loop), 0);
    close(launcher.socket);
    waitpid(launcher_pid, NULL, 0);
    REQUIRE(chmod(state, 0700) == 0);
}

static void remove_root(void)
{
    static const char *const folders[] = {"/instances", "/kept", ""};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(folders); i++) {
        heel_autofree char *path = heel_format("%s%s", state, folders[i]);

        CHECK_INT(rmdir(path), 0);
    }
    CHECK_INT(rmdir(root), 0);
}

static bool supported(void)
{
    bool is = heel_backend_host(backend)->supported;

    if (!is)
        close_backend();
    return is;
}

static int test_all(void)
{
    int fds;

    REQUIRE(mkdtemp(root) && chmod(root, 0755) == 0);
    state = heel_format("%s/state", root);
    open_backend();
    if (!supported())
        return heel_test_skip("this host can't hold sandboxes");
    test_commands();
    fds = count_fds();
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
    test_init_killed();
    test_descriptors();
    test_parallel();
    check_inits(1);
    CHECK_INT(count_fds(), fds);
    test_launcher_killed();
    close_backend();
    test_questions_at_the_end();
    for (int i = 0; i < 3; i++)
        check_killed(false);
    test_sweep(false);
    test_sweep(true);
    test_unsafe_state();
    remove_root();
    free(state);
    return heel_test_end();
}

static bool write_text(const char *path, const char *text)
{
    heel_autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Root of a container that has one uid only, an ordinary user's: no uids to give to sandboxes. */
static bool become_container_root(void)
{
    unsigned uid = geteuid(), gid = getegid();
    heel_autofree char *uids = heel_format("0 %u 1", uid);
    heel_autofree char *gids = heel_format("0 %u 1", gid);

    return prctl(PR_SET_DUMPABLE, 1) == 0 && unshare(CLONE_NEWUSER) == 0 &&
           write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/uid_map", uids) &&
           write_text("/proc/self/gid_map", gids);
}

static void become(enum who who)
{
    itself = who;
    if (who != ROOT && geteuid() == 0 && (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY)))
        exit(heel_test_skip("can't become another user"));
    if (who == CONTAINER_ROOT && !become_container_root())
        exit(heel_test_skip("can't make a user namespace"));
    /* What is mounted for a test is nobody else's business. */
    if (who == ROOT && (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)))
        exit(heel_test_skip("can't make a mount namespace"));
}

/* In a child: only a process with one thread may start a launcher, and a loop leaves libuv's
 * threads behind. */
static int test_as(enum who who)
{
    static const char *const names[] = {"an ordinary user", "root of a container", "root"};
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        become(who);
        exit(test_all());
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        fprintf(stderr, "as %s: status %d\n", names[who], status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Real-time signals that libc keeps for itself can be ignored all the same, and some parents do:
 * commands get defaults. */
static void ignore_signals(void)
{
    struct {
        void (*handler)(int);
        unsigned long flags, restorer, mask;
    } ignore = {SIG_IGN, 0, 0, 0};

    for (int number = 32; number < 65; number++)
        syscall(SYS_rt_sigaction, number, &ignore, NULL, sizeof(unsigned long));
    signal(SIGPIPE, SIG_IGN);
}

int main(void)
{
    int ordinary, container_root, root_itself = 0;

    ignore_signals();
    ordinary = test_as(ORDINARY);
    container_root = test_as(CONTAINER_ROOT);
    if (geteuid() == 0)
        root_itself = test_as(ROOT);
    if (ordinary && ordinary != SKIPPED)
        return ordinary;
    return container_root && container_root != SKIPPED ? container_root
           : root_itself                               ? root_itself
                                                       : ordinary;
}
