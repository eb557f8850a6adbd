#include "backends/linux/backend_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "base/text.h"

#define NOBODY 65534
#define SKIPPED 77

struct backend_fixture fixture = {.folder = "/tmp/heel-backend-XXXXXX"};

/* ---- the loop and the backend ---- */

static void on_patience_end(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static void on_timer_closed(uv_handle_t *handle)
{
    handle->data = NULL;
}

void fixture_wait_for(const bool *flag)
{
    bool late = false;
    uv_timer_t timer;

    uv_timer_init(&fixture.loop, &timer);
    timer.data = &late;
    uv_timer_start(&timer, on_patience_end, FIXTURE_PATIENCE_MS, 0);
    while (!*flag && !late)
        uv_run(&fixture.loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, on_timer_closed);
    while (timer.data)
        uv_run(&fixture.loop, UV_RUN_ONCE);
    REQUIRE(*flag);
}

struct heel_backend_options fixture_options(void)
{
    return (struct heel_backend_options){
        .state_dir = fixture.state, .uid_first = 700000, .uid_count = 1000};
}

void fixture_open(void)
{
    struct heel_backend_options options = fixture_options();
    struct heel_launcher launcher;
    heel_autoerror struct heel_error *error = NULL;

    REQUIRE(heel_launcher_start(&options, &launcher, &error) == 0);
    fixture.launcher_pid = launcher.pid;
    REQUIRE(uv_loop_init(&fixture.loop) == 0);
    fixture.backend = heel_backend_open(&fixture.loop, &options, &launcher, &error);
    if (error)
        fprintf(stderr, "%s\n", error->message);
    REQUIRE(fixture.backend);
}

void fixture_set_flag(void *flag)
{
    *(bool *)flag = true;
}

void fixture_close_when(const int *count, int wanted)
{
    bool closed = false;

    heel_backend_close(fixture.backend, fixture_set_flag, &closed);
    fixture_wait_for(&closed);
    CHECK_INT(*count, wanted);
    uv_run(&fixture.loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&fixture.loop), 0);
    CHECK_INT(kill(fixture.launcher_pid, 0), -1);
}

void fixture_close(void)
{
    int none = 0;

    fixture_close_when(&none, 0);
}

/* ---- sandboxes and commands ---- */

void box_on_created(struct heel_sandbox *sandbox, const struct heel_error *error, void *data)
{
    struct box *box = data;

    box->sandbox = sandbox;
    box->created = true;
    box->failed = error != NULL;
    box->code = error ? error->code : HEEL_OK;
    box->message = error ? heel_xstrdup(error->message) : NULL;
}

void box_on_lost(struct heel_sandbox *sandbox, void *data)
{
    struct box *box = data;

    CHECK(box->sandbox == sandbox);
    box->lost = true;
}

void box_on_deleted(const struct heel_sandbox_end *end, void *data)
{
    CHECK_STR(end->error ? end->error->message : NULL, NULL);
    CHECK_INT(end->file_count, 0);
    CHECK(!end->incomplete);
    ((struct box *)data)->deleted = true;
}

struct heel_sandbox_spec box_spec(const char *id)
{
    return (struct heel_sandbox_spec){
        .id = id, .level = HEEL_LEVEL_DEFAULT, .caller = {geteuid(), getegid(), NULL, 0}};
}

void box_create(struct box *box, const char *id)
{
    struct heel_sandbox_spec spec = box_spec(id);

    *box = (struct box){0};
    heel_backend_create(fixture.backend, &spec, box_on_created, box_on_lost, box);
    CHECK(!box->created); /* never from inside the call */
    fixture_wait_for(&box->created);
    if (box->failed)
        fprintf(stderr, "%s: %s\n", id, box->message);
    REQUIRE(!box->failed);
}

void box_destroy(struct box *box)
{
    heel_sandbox_destroy(box->sandbox, box_on_deleted, box);
    CHECK(!box->deleted);
    fixture_wait_for(&box->deleted);
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

void box_start(const struct box *box, struct run *run, const char *const *argv, bool want_stdin)
{
    static const char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
                                              "A=b", NULL};
    struct heel_command command = {.argv = argv, .environment = environment};
    heel_autoerror struct heel_error *error = NULL;

    *run = (struct run){0};
    REQUIRE(heel_process_start(box->sandbox, &command, want_stdin, &events, run, &run->process,
                               &run->stdio, &error) == 0);
}

void box_start_shell(const struct box *box, struct run *run, const char *script)
{
    const char *argv[] = {"sh", "-c", script, NULL};

    box_start(box, run, argv, false);
}

char *run_output(struct run *run)
{
    struct heel_buffer output = {0};
    ssize_t got;

    fixture_wait_for(&run->exited);
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

void box_check_output(const struct box *box, const char *script, const char *expected)
{
    struct run run;
    heel_autofree char *output = NULL;

    box_start_shell(box, &run, script);
    output = run_output(&run);
    CHECK_STR(output, expected);
    CHECK_INT(run.exit.start_failure, HEEL_START_OK);
}

void run_await_output(const struct run *run)
{
    struct pollfd event = {run->stdio.out, POLLIN, 0};

    for (int i = 0; i < FIXTURE_PATIENCE_MS / 10 && poll(&event, 1, 0) == 0; i++) {
        struct timespec pause = {0, 10000000};

        uv_run(&fixture.loop, UV_RUN_NOWAIT);
        nanosleep(&pause, NULL);
    }
    CHECK(event.revents & POLLIN);
    fixture_wait_for(&run->started);
}

/* ---- what is left ---- */

int fixture_count_entries(const char *path)
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

int fixture_count_fds(void)
{
    return fixture_count_entries("/proc/self/fd");
}

int fixture_count_instances(void)
{
    heel_autofree char *path = heel_format("%s/instances", fixture.state);

    return fixture_count_entries(path);
}

/* The pid of one of the processes that were counted last. */
static pid_t found;

int fixture_count_processes(const char *word)
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

static pid_t parent_of(pid_t pid)
{
    heel_autofree char *path = heel_format("/proc/%d/stat", (int)pid);
    FILE *stream = fopen(path, "re");
    int parent = 0;

    REQUIRE(stream && fscanf(stream, "%*d (%*[^)]) %*c %d", &parent) == 1);
    fclose(stream);
    return parent;
}

pid_t fixture_init_of(const char *word)
{
    fixture_check_processes(word, 1);
    return parent_of(found);
}

char *fixture_unique_sleep(void)
{
    static int serial;

    return heel_format("9%05d.%d", (int)getpid(), ++serial);
}

void fixture_check_processes(const char *word, int expected)
{
    struct timespec pause = {0, FIXTURE_PAUSE_MS * 1000000L};
    int count = fixture_count_processes(word);

    for (int i = 0; i < FIXTURE_PATIENCE_MS / FIXTURE_PAUSE_MS && count != expected; i++) {
        nanosleep(&pause, NULL);
        count = fixture_count_processes(word);
    }
    CHECK_INT(count, expected);
}

/* ---- as whom ---- */

int fixture_set_up(void)
{
    REQUIRE(mkdtemp(fixture.folder) && chmod(fixture.folder, 0755) == 0);
    fixture.state = heel_format("%s/state", fixture.folder);
    fixture_open();
    if (heel_backend_host(fixture.backend)->supported)
        return 0;
    fixture_close();
    return heel_test_skip("this host can't hold sandboxes");
}

void fixture_tear_down(void)
{
    static const char *const folders[] = {"/instances", "/kept", ""};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(folders); i++) {
        heel_autofree char *path = heel_format("%s%s", fixture.state, folders[i]);

        CHECK_INT(rmdir(path), 0);
    }
    CHECK_INT(rmdir(fixture.folder), 0);
    free(fixture.state);
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

static void become(enum fixture_user user)
{
    fixture.user = user;
    if (user != FIXTURE_ROOT && geteuid() == 0 &&
        (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY)))
        exit(heel_test_skip("can't become another user"));
    if (user == FIXTURE_CONTAINER_ROOT && !become_container_root())
        exit(heel_test_skip("can't make a user namespace"));
    /* What is mounted for a test is nobody else's business. */
    if (user == FIXTURE_ROOT &&
        (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)))
        exit(heel_test_skip("can't make a mount namespace"));
}

/* In a child: only a process with one thread may start a launcher, and a loop leaves libuv's
 * threads behind. */
static int test_as(enum fixture_user user, int (*test)(void))
{
    static const char *const names[] = {"an ordinary user", "root of a container", "root"};
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        become(user);
        exit(test());
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        fprintf(stderr, "as %s: status %d\n", names[user], status);
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

int fixture_main(int (*test)(void))
{
    int ordinary, container_root, root = 0;

    ignore_signals();
    ordinary = test_as(FIXTURE_ORDINARY, test);
    container_root = test_as(FIXTURE_CONTAINER_ROOT, test);
    if (geteuid() == 0)
        root = test_as(FIXTURE_ROOT, test);
    if (ordinary && ordinary != SKIPPED)
        return ordinary;
    return container_root && container_root != SKIPPED ? container_root : root ? root : ordinary;
}
