/* What a sandbox refuses is told: who asked, for what, and why, and no more often than promised. */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "backends/backend.h"
#include "base/test.h"
#include "base/text.h"

#define PATIENCE_MS 20000

static char folder[] = "/tmp/heel-denials-XXXXXX";
static uv_loop_t loop;
static struct heel_backend *backend;
static struct heel_sandbox *sandbox;
static struct heel_buffer told; /* a line each */
static unsigned told_count;

static void on_late(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static void wait_for(const bool *flag)
{
    bool late = false;
    uv_timer_t timer = {.data = &late};

    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, on_late, PATIENCE_MS, 0);
    while (!*flag && !late)
        uv_run(&loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
    REQUIRE(*flag);
}

static bool done;

static void on_done(void *unused)
{
    (void)unused;
    done = true;
}

static void on_created(struct heel_sandbox *created, const struct heel_error *error, void *data)
{
    if (error)
        fprintf(stderr, "%s\n", error->message);
    sandbox = created;
    on_done(data);
}

static void on_lost(struct heel_sandbox *lost, void *data)
{
    (void)lost;
    (void)data;
    HEEL_TEST_FAIL("the sandbox was %s", "lost");
}

static void on_deleted(const struct heel_sandbox_end *end, void *data)
{
    CHECK(!end->error);
    on_done(data);
}

static void on_denied(const struct heel_denial *denial, void *data)
{
    CHECK(data == &told);
    CHECK_INT(denial->kind, HEEL_DENIAL_OBSERVED);
    CHECK(denial->pid > 1 && *denial->rule && *denial->remedy);
    told_count++;
    heel_buffer_printf(&told, "%s %s %s\n", denial->program, denial->right, denial->target);
}

static void on_started(struct heel_process *process, int terminal, void *data)
{
    (void)process;
    (void)data;
    CHECK_INT(terminal, -1);
}

static void on_exit_of(struct heel_process *process, const struct heel_exit *exit, void *data)
{
    (void)process;
    CHECK_INT(exit->start_failure, HEEL_START_OK);
    CHECK_INT(exit->code, 0);
    on_done(data);
}

static void run_python(const char *script)
{
    static const struct heel_process_events events = {.on_started = on_started,
                                                      .on_exit = on_exit_of};
    static const char *const environment[] = {"PATH=/usr/bin:/bin", NULL};
    const char *const argv[] = {"/usr/bin/python3", "-c", script, NULL};
    const struct heel_command command = {.argv = argv, .environment = environment};
    heel_autoerror struct heel_error *error = NULL;
    struct heel_process *process;
    struct heel_stdio stdio;

    done = false;
    REQUIRE(heel_process_start(sandbox, &command, false, &events, NULL, &process, &stdio, &error) ==
            0);
    wait_for(&done);
    close(stdio.out);
    close(stdio.err);
}

/* Whether connects are supervised here. */
static bool begin(void)
{
    heel_autofree char *state = heel_format("%s/state", folder);
    struct heel_backend_options options = {
        .state_dir = state, .uid_first = 700000, .uid_count = 1000};
    struct heel_sandbox_spec spec = {
        .id = "one", .working_dir = NULL, .caller = {geteuid(), getegid(), NULL, 0}};
    heel_autoerror struct heel_error *error = NULL;
    struct heel_launcher launcher;

    REQUIRE(heel_launcher_start(&options, &launcher, &error) == 0);
    REQUIRE(uv_loop_init(&loop) == 0);
    backend = heel_backend_open(&loop, &options, &launcher, &error);
    REQUIRE(backend);
    heel_backend_create(backend, &spec, on_created, on_lost, NULL);
    wait_for(&done);
    REQUIRE(sandbox);
    return strstr(heel_sandbox_enforcement(sandbox)[HEEL_PROTECTION_HOST_SOCKETS].mechanism,
                  "supervised") != NULL;
}

static void end(void)
{
    done = false;
    heel_sandbox_destroy(sandbox, on_deleted, NULL);
    wait_for(&done);
    done = false;
    heel_backend_close(backend, on_done, NULL);
    wait_for(&done);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&loop), 0);
}

/* A socket that nobody inside listens on: by name it is as a host's. */
static void each_is_told_once(void)
{
    heel_sandbox_watch_denials(sandbox, on_denied, &told);
    run_python(
        "import socket\n"
        "def attempt(family, address):\n"
        "    try: socket.socket(family).connect(address)\n"
        "    except OSError: pass\n"
        "own = socket.socket(socket.AF_UNIX); own.bind('own'); own.listen()\n"
        "bound = socket.socket(socket.AF_UNIX); bound.bind('b\\n\\x1b[2J')\n"
        "attempt(socket.AF_UNIX, 'own'), attempt(socket.AF_UNIX, 'absent')\n"
        "attempt(socket.AF_UNIX, 'b\\n\\x1b[2J')\n"
        "attempt(socket.AF_INET, ('127.0.0.1', 9)), attempt(socket.AF_INET, ('192.0.2.1', 80))\n");
    CHECK_INT(told_count, 2);
    CHECK(told.data && strstr(told.data, "python3") && told.data[0] == '/');
    CHECK(strstr(told.data, " connect b\\n\\x1b[2J\n") &&
          strstr(told.data, " connect tcp 192.0.2.1:80\n"));
}

static void a_flood_is_not_told_in_full(void)
{
    unsigned before = told_count;

    run_python("import socket\n"
               "for _ in range(2000):\n"
               "    try: socket.socket().connect(('192.0.2.1', 80))\n"
               "    except OSError: pass\n");
    CHECK(told_count - before >= HEEL_DENIALS_BURST - 2);
    CHECK(told_count - before < 1000);
    before = told_count;
    heel_sandbox_watch_denials(sandbox, NULL, NULL);
    run_python("import socket, time\n"
               "try: socket.socket().connect(('192.0.2.1', 80))\n"
               "except OSError: pass\n");
    CHECK_INT(told_count, before);
}

int main(void)
{
    heel_autofree char *remove = NULL;

    REQUIRE(mkdtemp(folder));
    chmod(folder, 0755);
    if (begin()) {
        each_is_told_once();
        a_flood_is_not_told_in_full();
    } else {
        printf("SKIP: connects aren't supervised here\n");
    }
    end();
    heel_buffer_free(&told);
    remove = heel_format("rm -rf %s", folder);
    CHECK_INT(system(remove), 0);
    return heel_test_end();
}
