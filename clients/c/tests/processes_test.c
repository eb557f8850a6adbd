/* libheel's processes against a real heeld: attaching, gaps, terminals, pausing, events. */
#include <errno.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>

#include "base/error.h"
#include "base/test.h"
#include "base/text.h"
#include "clients/c/libheel/heel/heel.h"

#define CHECK_OK(call) \
    do { \
        heel_autoerror struct heel_error *error = NULL; \
        if (call) \
            HEEL_TEST_FAIL(#call ": %s", heel_error_message(error)); \
    } while (0)

static const char box[] = "box";

/* What came of a process. */
struct seen {
    struct heel_buffer output;
    uint64_t gap_from, gap_to;
    bool exited;
};

static void on_output(struct heel_exec *exec, struct heel_bytes output, void *data)
{
    (void)exec;
    heel_buffer_append(&((struct seen *)data)->output, output.data, output.length);
}

static void on_gap(struct heel_exec *exec, bool errors, uint64_t from, uint64_t to, void *data)
{
    struct seen *seen = data;

    (void)exec;
    CHECK(!errors);
    seen->gap_from = from;
    seen->gap_to = to;
}

static void on_exited(struct heel_exec *exec, const struct heel_exit_status *status,
                      const struct heel_usage *usage, void *data)
{
    (void)exec;
    (void)status;
    (void)usage;
    ((struct seen *)data)->exited = true;
}

static const struct heel_exec_events events = {HEEL_INIT(heel_exec_events), .on_output = on_output,
                                               .on_gap = on_gap, .on_exited = on_exited};

static void start(struct heel_client *client, const char *id, const char *script,
                  const struct heel_terminal *terminal)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    const struct heel_command command = {
        HEEL_INIT(heel_command), .argv = argv,        .process_id = id,
        .terminal = terminal,    .ring_bytes = 65536, .when_full = HEEL_WHEN_FULL_DROP_OLDEST};
    struct heel_process_info *process;

    CHECK_OK(heel_process_start(client, box, &command, false, NULL, &process, &error));
    CHECK_STR(process->id, id);
    CHECK_STR(process->argv[0], "sh");
    CHECK(!process->kill_on_disconnect && !process->captured);
    CHECK((process->terminal != NULL) == (terminal != NULL));
    heel_process_info_free(process);
}

static struct heel_exec *attach(struct heel_client *client, const char *id, uint64_t offset,
                                const struct heel_exec_events *with, struct seen *seen)
{
    const struct heel_attach options = {HEEL_INIT(heel_attach), .output_offset = offset};
    struct heel_exec *exec = NULL;

    CHECK_OK(heel_exec_attach(client, box, id, &options, NULL, with, seen, &exec, &error));
    REQUIRE(exec);
    return exec;
}

/* From the offset to the end, whether the process is over or not. */
static void check_replay(struct heel_client *client, const char *id, uint64_t offset,
                         const char *wanted)
{
    struct seen seen = {0};
    struct heel_exec *exec = attach(client, id, offset, &events, &seen);
    struct heel_exit_status status;

    CHECK_OK(heel_exec_run(exec, &status, &error));
    CHECK_INT(status.code, 3);
    CHECK(seen.exited);
    CHECK_STR(seen.output.data ? seen.output.data : "", wanted);
    heel_buffer_free(&seen.output);
    heel_exec_free(exec);
}

static void test_attach(struct heel_client *client)
{
    struct seen seen = {0};
    struct heel_exec *exec;
    struct heel_process_info *process;

    start(client, "echo", "read line; echo got $line; exit 3", NULL);
    exec = attach(client, "echo", 0, &events, &seen);
    CHECK_INT(heel_exec_write(exec, "this\n", 5), 5);
    CHECK_OK(heel_exec_run(exec, NULL, &error));
    CHECK_STR(seen.output.data, "got this\n");
    heel_buffer_free(&seen.output);
    heel_exec_free(exec);
    check_replay(client, "echo", 0, "got this\n");
    check_replay(client, "echo", 4, "this\n");
    check_replay(client, "echo", 9, "");
    CHECK_OK(heel_process_get(client, box, "echo", NULL, &process, &error));
    CHECK_INT(process->output.end, 9);
    CHECK_INT(process->state, HEEL_PROCESS_EXITED);
    heel_process_info_free(process);
}

/* Freeing an exec leaves what it was attached to. */
static void test_leaving(struct heel_client *client)
{
    struct seen seen = {0};
    struct heel_process_info *process;

    start(client, "left", "read line; exit 3", NULL);
    heel_exec_free(attach(client, "left", 0, &events, &seen));
    CHECK_OK(heel_process_get(client, box, "left", NULL, &process, &error));
    CHECK_INT(process->state, HEEL_PROCESS_RUNNING);
    heel_process_info_free(process);
    CHECK_OK(heel_process_signal(client, box, "left", "9", HEEL_SIGNAL_TREE, NULL, &error));
    CHECK_OK(heel_process_wait(client, box, "left", NULL, &process, &error));
    CHECK(process->status.signaled);
    CHECK_INT(process->status.signal, SIGKILL);
    heel_process_info_free(process);
}

static void test_gap(struct heel_client *client)
{
    struct seen seen = {0};
    struct heel_process_info *process;
    struct heel_exec *exec;

    start(client, "much", "seq 100000", NULL);
    CHECK_OK(heel_process_wait(client, box, "much", NULL, &process, &error));
    exec = attach(client, "much", 5, &events, &seen);
    CHECK_OK(heel_exec_run(exec, NULL, &error));
    CHECK_INT(seen.gap_from, 5);
    CHECK_INT(seen.gap_to, process->output.first);
    CHECK_INT(seen.gap_to + seen.output.length, process->output.end);
    CHECK_STR(seen.output.data + seen.output.length - 7, "100000\n");
    heel_buffer_free(&seen.output);
    heel_process_info_free(process);
    heel_exec_free(exec);
}

static void test_offset_beyond_the_end(struct heel_client *client)
{
    heel_autoerror struct heel_error *error = NULL;
    struct seen seen = {0};
    struct heel_exec *exec = attach(client, "echo", 100, &events, &seen);

    CHECK_INT(heel_exec_run(exec, NULL, &error), -1);
    CHECK_INT(heel_error_code(error), HEEL_ERROR_OUT_OF_RANGE);
    CHECK_STR(heel_error_field(error), "start.stdout_offset");
    heel_exec_free(exec);
}

static void test_resize(struct heel_client *client)
{
    const struct heel_terminal terminal = {.rows = 11, .columns = 22};
    struct seen seen = {0};
    struct heel_exec *exec;

    start(client, "size", "trap 'stty size; exit 3' WINCH; stty size; while :; do sleep 0.01; done",
          &terminal);
    exec = attach(client, "size", 0, &events, &seen);
    while (!seen.output.data || !strstr(seen.output.data, "11 22\r\n"))
        REQUIRE(heel_exec_dispatch(exec));
    heel_exec_resize(exec, 33, 44);
    CHECK_OK(heel_exec_run(exec, NULL, &error));
    CHECK_STR(seen.output.data, "11 22\r\n33 44\r\n");
    heel_buffer_free(&seen.output);
    heel_exec_free(exec);
}

static void check_list(struct heel_client *client, enum heel_process_state state, size_t count)
{
    const struct heel_process_list list = {HEEL_INIT(heel_process_list), .states = &state,
                                           .state_count = 1};
    heel_autofree char *shown = heel_format("\"PROCESS_STATE_%s\"", heel_process_state_name(state));
    heel_autofree char *json = NULL;
    struct heel_process_page *page;

    CHECK_OK(heel_process_list(client, box, &list, NULL, &page, &error));
    CHECK_INT(page->count, count);
    json = heel_process_page_json(page, 0);
    CHECK(strstr(json, shown));
    heel_process_page_free(page);
}

static void test_pause(struct heel_client *client)
{
    struct heel_sandbox_info *sandbox;

    start(client, "runs", "read line; exit 3", NULL);
    check_list(client, HEEL_PROCESS_RUNNING, 1);
    check_list(client, HEEL_PROCESS_EXITED, 4);
    CHECK_OK(heel_sandbox_pause(client, box, NULL, &sandbox, &error));
    CHECK_INT(sandbox->state, HEEL_SANDBOX_PAUSED);
    heel_sandbox_info_free(sandbox);
    CHECK_OK(heel_sandbox_resume(client, box, NULL, &sandbox, &error));
    CHECK_INT(sandbox->state, HEEL_SANDBOX_READY);
    heel_sandbox_info_free(sandbox);
    CHECK_OK(heel_process_signal(client, box, "runs", "KILL", HEEL_SIGNAL_UNSET, NULL, &error));
    CHECK_OK(heel_process_wait(client, box, "runs", NULL, NULL, &error));
}

/* ---- events ---- */

struct told {
    uint64_t last, sequence;
    unsigned started, exited, paused;
};

static bool on_event(const struct heel_event *event, void *data)
{
    struct told *told = data;

    if (event->kind == HEEL_EVENT_BEGIN) {
        told->last = event->sequence;
        CHECK(*event->epoch);
        return told->last > 0;
    }
    CHECK_INT(event->sequence, ++told->sequence);
    CHECK_STR(event->sandbox_id, box);
    told->started += event->kind == HEEL_EVENT_PROCESS_STARTED;
    told->exited += event->kind == HEEL_EVENT_PROCESS_EXITED;
    told->paused +=
        event->kind == HEEL_EVENT_SANDBOX && event->sandbox == HEEL_SANDBOX_EVENT_PAUSED;
    return event->sequence < told->last;
}

/* Every process of the tests before, and the pause. */
static void test_events(struct heel_client *client)
{
    const struct heel_watch watch = {HEEL_INIT(heel_watch), .resume = true};
    const struct heel_watch beyond = {HEEL_INIT(heel_watch), .resume = true, .sequence = 9999};
    heel_autoerror struct heel_error *failure = NULL;
    struct told told = {0};

    CHECK_OK(heel_events_watch(client, &watch, NULL, on_event, &told, &error));
    CHECK_INT(told.started, 5);
    CHECK_INT(told.exited, 5);
    CHECK_INT(told.paused, 1);
    CHECK_INT(heel_events_watch(client, &beyond, NULL, on_event, &told, &failure), -1);
    CHECK_INT(heel_error_code(failure), HEEL_ERROR_OUT_OF_RANGE);
}

/* ---- a person's terminal ---- */

static const struct heel_exec_events none = {HEEL_INIT(heel_exec_events)};

struct person {
    int master, slave;
    struct termios before;
    const char *keys; /* what is typed once the terminal is raw */
    pthread_t fingers;
};

static struct person sit_down(void)
{
    const struct winsize size = {.ws_row = 21, .ws_col = 71};
    struct person person;

    REQUIRE(openpty(&person.master, &person.slave, NULL, NULL, &size) == 0);
    REQUIRE(tcgetattr(person.slave, &person.before) == 0);
    return person;
}

/* Not before the terminal is raw: till then it would take ctrl-q, and lines that aren't complete,
 * for itself. */
static void *press_keys(void *data)
{
    const struct person *person = data;
    const struct timespec pause = {0, 1000000};
    struct termios now = person->before;
    size_t length = strlen(person->keys);

    while (tcgetattr(person->slave, &now) == 0 && (now.c_lflag & ICANON))
        nanosleep(&pause, NULL);
    REQUIRE(write(person->master, person->keys, length) == (ssize_t)length);
    return NULL;
}

static void type(struct person *person, const char *keys)
{
    person->keys = keys;
    REQUIRE(pthread_create(&person->fingers, NULL, press_keys, person) == 0);
}

/* All that the terminal showed; its last descriptor is closed. */
static char *read_screen(int master)
{
    struct heel_buffer text = {0};
    ssize_t length;

    do {
        length = read(master, heel_buffer_reserve(&text, 4096), 4096);
        text.length += length > 0 ? (size_t)length : 0;
    } while (length > 0);
    heel_buffer_append_text(&text, "");
    return text.data;
}

/* The terminal is as it was, and showed this. */
static void stand_up(struct person *person, const char *shown)
{
    heel_autofree char *text = NULL;
    struct termios after;

    REQUIRE(tcgetattr(person->slave, &after) == 0);
    CHECK_INT(after.c_lflag, person->before.c_lflag);
    CHECK_INT(after.c_iflag, person->before.c_iflag);
    CHECK_INT(after.c_oflag, person->before.c_oflag);
    close(person->slave);
    text = read_screen(person->master);
    CHECK(strstr(text, shown));
    close(person->master);
}

static void test_interactive(struct heel_client *client)
{
    const char *argv[] = {"sh", "-c", "stty size; read line; echo got $line; exit 3", NULL};
    const struct heel_terminal terminal = {.rows = 21, .columns = 71};
    const struct heel_command command = {HEEL_INIT(heel_command), .argv = argv,
                                         .terminal = &terminal};
    struct person person = sit_down();
    enum heel_interactive_end end = 0;
    struct heel_exit_status status = {0};
    struct heel_exec *exec;

    CHECK_OK(
        heel_exec_start(client, heel_in_sandbox(box), &command, NULL, &none, NULL, &exec, &error));
    type(&person, "that\r");
    CHECK_OK(heel_exec_interactive(exec, person.slave, person.slave, NULL, &end, &status, &error));
    pthread_join(person.fingers, NULL);
    CHECK_INT(end, HEEL_INTERACTIVE_EXITED);
    CHECK_INT(status.code, 3);
    heel_exec_free(exec);
    stand_up(&person, "got that\r\n");
}

static void test_detach(struct heel_client *client)
{
    const struct heel_interactive options = {HEEL_INIT(heel_interactive),
                                             .detach_keys = "ctrl-p,ctrl-q"};
    const struct heel_interactive wrong = {HEEL_INIT(heel_interactive), .detach_keys = "ctrl-1"};
    const struct heel_terminal terminal = {0};
    struct person person = sit_down();
    enum heel_interactive_end end = 0;
    struct heel_process_info *process;
    struct heel_exec *exec;

    start(client, "held", "echo ready; exec cat", &terminal);
    exec = attach(client, "held", 0, &none, NULL);
    CHECK_INT(heel_exec_interactive(exec, person.slave, person.slave, &wrong, &end, NULL, NULL),
              -1);
    /* A ctrl-p of the command's own, and one that begins the keys. */
    type(&person, "\020x\020\020\021");
    CHECK_OK(heel_exec_interactive(exec, person.slave, person.slave, &options, &end, NULL, &error));
    pthread_join(person.fingers, NULL);
    CHECK_INT(end, HEEL_INTERACTIVE_DETACHED);
    heel_exec_free(exec);
    CHECK_OK(heel_process_get(client, box, "held", NULL, &process, &error));
    CHECK_INT(process->state, HEEL_PROCESS_RUNNING);
    heel_process_info_free(process);
    stand_up(&person, "");
}

static void test_giving_up(struct heel_client *client)
{
    const char *argv[] = {"cat", NULL};
    const struct heel_terminal terminal = {0};
    const struct heel_command command = {HEEL_INIT(heel_command), .argv = argv,
                                         .terminal = &terminal};
    heel_autoerror struct heel_error *failure = NULL;
    struct person person = sit_down();
    enum heel_interactive_end end = 0;
    struct heel_exec *exec;

    CHECK_OK(
        heel_exec_start(client, heel_in_sandbox(box), &command, NULL, &none, NULL, &exec, &error));
    heel_exec_cancel(exec);
    CHECK_INT(heel_exec_interactive(exec, person.slave, person.slave, NULL, &end, NULL, &failure),
              -1);
    CHECK_INT(heel_error_code(failure), HEEL_ERROR_CANCELLED);
    heel_exec_free(exec);
    stand_up(&person, "");
}

int main(int argc, char **argv)
{
    struct heel_client *client;
    struct heel_sandbox_info *sandbox;

    REQUIRE(argc > 1);
    setenv("HEEL_HEELD", argv[1], 1);
    CHECK_OK(heel_client_open_embedded(NULL, &client, &error));
    CHECK_OK(heel_sandbox_create(client, box, NULL, NULL, &sandbox, &error));
    heel_sandbox_info_free(sandbox);
    test_attach(client);
    test_leaving(client);
    test_gap(client);
    test_offset_beyond_the_end(client);
    test_resize(client);
    test_pause(client);
    test_events(client);
    test_interactive(client);
    test_detach(client);
    test_giving_up(client);
    heel_client_close(client);
    return heel_test_end();
}
