/* Exec: output, back-pressure, standard input, signals, cancelling and losing the server, against a
 * server that plays its part. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/cleanup.h"
#include "base/test.h"
#include "base/text.h"
#include "clients/c/libheel/heel/heel.h"
#include "clients/c/tests/fake_server.h"

struct seen {
    int started, exited, writable;
    struct heel_buffer output; /* only what echo sent */
    unsigned long long output_bytes;
    unsigned hold_after; /* hold at this many chunks; 0: never */
    unsigned chunks;
};

static void on_started(struct heel_exec *exec, const char *process_id, const char *sandbox_id,
                       void *data)
{
    struct seen *seen = data;

    (void)exec;
    seen->started++;
    CHECK_STR(process_id, "p1");
    CHECK_STR(sandbox_id, "s1");
}

static void on_output(struct heel_exec *exec, struct heel_bytes bytes, void *data)
{
    struct seen *seen = data;

    seen->output_bytes += bytes.length;
    if (bytes.length < 4096)
        heel_buffer_append(&seen->output, bytes.data, bytes.length);
    if (++seen->chunks == seen->hold_after)
        heel_exec_hold(exec);
}

static void on_writable(struct heel_exec *exec, void *data)
{
    (void)exec;
    ((struct seen *)data)->writable++;
}

static void on_exited(struct heel_exec *exec, const struct heel_exit_status *status,
                      const struct heel_usage *usage, void *data)
{
    (void)exec;
    (void)status;
    (void)usage;
    ((struct seen *)data)->exited++;
}

static const struct heel_exec_events events = {
    HEEL_INIT(heel_exec_events), .on_started = on_started, .on_output = on_output,
    .on_writable = on_writable,  .on_exited = on_exited,
};

static struct heel_exec *start(struct heel_client *client, const char *part, const char *argument,
                               struct seen *seen)
{
    const char *argv[] = {part, argument, NULL};
    const struct heel_command command = {HEEL_INIT(heel_command), .argv = argv};
    struct heel_exec *exec;

    REQUIRE(!heel_exec_start(client, heel_in_new_sandbox(NULL), &command, NULL, &events, seen,
                             &exec, NULL));
    return exec;
}

static void wait_once(struct heel_exec *exec)
{
    struct pollfd woken = {.fd = heel_exec_fd(exec), .events = POLLIN};

    poll(&woken, 1, -1);
}

static void test_echo(struct heel_client *client)
{
    struct seen seen = {0};
    struct heel_exec *exec = start(client, "echo", NULL, &seen);
    struct heel_exit_status status;

    CHECK_INT(heel_exec_write(exec, "hello ", 6), 6);
    CHECK_INT(heel_exec_write(exec, "there", 5), 5);
    heel_exec_close_input(exec);
    REQUIRE(!heel_exec_run(exec, &status, NULL));
    CHECK_INT(status.reason, HEEL_EXIT_EXITED);
    CHECK_INT(status.code, 7);
    CHECK_INT(seen.started, 1);
    CHECK_INT(seen.exited, 1);
    CHECK_STR(seen.output.data, "hello there");
    heel_buffer_free(&seen.output);
    heel_exec_free(exec);
}

/* Far more than fits anywhere, through a pipe that another thread fills. */
#define FORWARDED ((size_t)8 << 20)

static void *fill_pipe(void *argument)
{
    static char bytes[65536];
    int fd = *(int *)argument;

    for (size_t sent = 0; sent < FORWARDED; sent += sizeof(bytes))
        for (size_t done = 0; done < sizeof(bytes);) {
            ssize_t written = write(fd, bytes + done, sizeof(bytes) - done);

            if (written <= 0)
                abort();
            done += (size_t)written;
        }
    close(fd);
    return NULL;
}

static void test_forward(struct heel_client *client)
{
    struct seen seen = {0};
    struct heel_exec *exec = start(client, "echo", NULL, &seen);
    struct heel_exit_status status;
    pthread_t filler;
    int ends[2];

    REQUIRE(!pipe(ends));
    REQUIRE(!pthread_create(&filler, NULL, fill_pipe, &ends[1]));
    heel_exec_forward(exec, ends[0]);
    REQUIRE(!heel_exec_run(exec, &status, NULL));
    CHECK_INT(status.code, 7);
    CHECK_INT(seen.output_bytes, FORWARDED);
    pthread_join(filler, NULL);
    close(ends[0]);
    heel_buffer_free(&seen.output);
    heel_exec_free(exec);
}

/* A descriptor that isn't open is at its end. */
static void test_forward_closed(struct heel_client *client)
{
    struct seen seen = {0};
    struct heel_exec *exec = start(client, "echo", NULL, &seen);
    struct heel_exit_status status;

    heel_exec_forward(exec, 1000);
    REQUIRE(!heel_exec_run(exec, &status, NULL));
    CHECK_INT(status.code, 7);
    heel_exec_free(exec);
}

/* Nobody takes the standard input: no more than the window is sent and no more than the buffer
 * kept, and a signal gets through. */
static void test_signal_behind_input(struct heel_client *client)
{
    static const char bytes[65536];
    struct seen seen = {0};
    struct heel_exec *exec = start(client, "deaf", NULL, &seen);
    struct heel_exit_status status;
    size_t total = 0, taken;

    do {
        taken = heel_exec_write(exec, bytes, sizeof(bytes));
        total += taken;
        while (!taken && total < ((size_t)3 << 18) && heel_exec_dispatch(exec)) {
            taken = heel_exec_write(exec, bytes, sizeof(bytes));
            total += taken;
            if (!taken)
                wait_once(exec);
        }
    } while (taken);
    CHECK_INT(total, (512 << 10) + (256 << 10));
    heel_exec_signal(exec, SIGTERM);
    REQUIRE(!heel_exec_run(exec, &status, NULL));
    CHECK_INT(status.reason, HEEL_EXIT_SIGNALED);
    CHECK_INT(status.signal, SIGTERM);
    CHECK(seen.writable > 0);
    heel_exec_free(exec);
}

static struct heel_exec *interrupted;

static void on_alarm(int number)
{
    (void)number;
    heel_exec_signal(interrupted, SIGINT);
}

/* From a signal handler, while heel_exec_run waits. */
static void test_signal_from_handler(struct heel_client *client)
{
    const struct itimerval soon = {.it_value = {.tv_usec = 20000}};
    struct seen seen = {0};
    struct heel_exit_status status;

    interrupted = start(client, "deaf", NULL, &seen);
    signal(SIGALRM, on_alarm);
    REQUIRE(!setitimer(ITIMER_REAL, &soon, NULL));
    REQUIRE(!heel_exec_run(interrupted, &status, NULL));
    CHECK_INT(status.signal, SIGINT);
    heel_exec_free(interrupted);
}

static void test_flood(struct heel_client *client)
{
    struct seen seen = {0};
    struct heel_exec *exec = start(client, "flood", "500", &seen);

    REQUIRE(!heel_exec_run(exec, NULL, NULL));
    CHECK_INT(seen.chunks, 500);
    CHECK_INT(seen.output_bytes, 500ull << 16);
    heel_exec_free(exec);
}

/* While output is held the server gets rid of what the transport buffers and no more. */
static void test_hold(struct heel_client *client, const struct fake_server *server)
{
    unsigned long long before = fake_server_chunks_sent(server), sent = 0, last;
    struct seen seen = {.hold_after = 3};
    struct heel_exec *exec = start(client, "flood", "2000", &seen);
    struct heel_exit_status status;

    while (heel_exec_dispatch(exec) && seen.chunks < 3)
        wait_once(exec);
    do {
        struct pollfd woken = {.fd = heel_exec_fd(exec), .events = POLLIN};

        last = sent;
        if (poll(&woken, 1, 100) == 1) /* woken for nothing, as may be */
            heel_exec_dispatch(exec);
        sent = fake_server_chunks_sent(server) - before;
    } while (sent != last);
    CHECK(sent < 1000);
    CHECK_INT(seen.chunks, 3);
    heel_exec_release(exec);
    REQUIRE(!heel_exec_run(exec, &status, NULL));
    CHECK_INT(seen.chunks, 2000);
    heel_exec_free(exec);
}

static void test_refused(struct heel_client *client)
{
    struct seen seen = {0};
    struct heel_exec *exec = start(client, "refuse", NULL, &seen);
    struct heel_error *error = NULL;

    CHECK_INT(heel_exec_run(exec, NULL, &error), -1);
    CHECK_INT(heel_error_code(error), HEEL_ERROR_NOT_FOUND);
    CHECK_STR(heel_error_reason(error), "SANDBOX_NOT_FOUND");
    CHECK_INT(seen.started, 0);
    heel_error_free(error);
    heel_exec_free(exec);
}

static void *cancel(void *argument)
{
    heel_exec_cancel(argument);
    return NULL;
}

static void test_cancel(struct heel_client *client)
{
    struct seen seen = {0};
    struct heel_exec *exec = start(client, "silent", NULL, &seen);
    struct heel_error *error = NULL;
    pthread_t thread;

    REQUIRE(!pthread_create(&thread, NULL, cancel, exec));
    CHECK_INT(heel_exec_run(exec, NULL, &error), -1);
    CHECK_INT(heel_error_code(error), HEEL_ERROR_CANCELLED);
    pthread_join(thread, NULL);
    heel_error_free(error);
    heel_exec_free(exec);
}

/* Freed while it runs, and while its output is held: the server hears of it. */
static void test_abandoned(struct heel_client *client, const struct fake_server *server)
{
    unsigned before = fake_server_cancelled(server);
    struct seen seen = {.hold_after = 1};
    struct heel_exec *exec = start(client, "flood", "1000000", &seen);

    while (heel_exec_dispatch(exec) && !seen.chunks)
        wait_once(exec);
    heel_exec_free(exec);
    exec = start(client, "silent", NULL, &seen);
    heel_exec_free(exec);
    /* The last word goes over the wire like any other: an answer after it proves that it arrived.
     */
    {
        struct heel_server_info *info;

        while (fake_server_cancelled(server) == before)
            REQUIRE(!heel_server_info_get(client, NULL, &info, NULL) &&
                    (heel_server_info_free(info), 1));
    }
}

static void test_lost(struct heel_client *client)
{
    struct seen seen = {0};
    struct heel_exec *exec = start(client, "lose", NULL, &seen);
    struct heel_error *error = NULL;

    CHECK_INT(heel_exec_run(exec, NULL, &error), -1);
    CHECK_INT(heel_error_code(error), HEEL_ERROR_UNAVAILABLE);
    heel_error_free(error);
    heel_exec_free(exec);
}

static void note_thread(struct heel_exec *exec, const struct heel_exit_status *status,
                        const struct heel_usage *usage, void *data)
{
    pthread_t *thread = data;

    (void)exec;
    (void)status;
    (void)usage;
    *thread = pthread_self();
}

static void check_refused_now(struct heel_error **error)
{
    CHECK_INT(heel_error_code(*error), HEEL_ERROR_FAILED_PRECONDITION);
    heel_error_free(*error);
    *error = NULL;
}

static void test_thread(struct heel_client *client)
{
    const struct heel_exec_events noting = {HEEL_INIT(heel_exec_events), .on_exited = note_thread};
    const char *argv[] = {"echo", NULL};
    const struct heel_command command = {HEEL_INIT(heel_command), .argv = argv};
    pthread_t thread = pthread_self();
    struct heel_exit_status status;
    struct heel_error *error = NULL;
    struct heel_exec *exec;

    REQUIRE(!heel_exec_start(client, heel_in_new_sandbox(NULL), &command, NULL, &noting, &thread,
                             &exec, NULL));
    CHECK_INT(heel_exec_join(exec, &status, &error), -1);
    check_refused_now(&error);
    heel_exec_close_input(exec);
    REQUIRE(!heel_exec_run_in_thread(exec, NULL));
    CHECK_INT(heel_exec_run_in_thread(exec, &error), -1);
    check_refused_now(&error);
    REQUIRE(!heel_exec_join(exec, &status, NULL));
    CHECK_INT(status.code, 7);
    CHECK(!pthread_equal(thread, pthread_self()));
    heel_exec_free(exec);
}

static void test_cancel_in_thread(struct heel_client *client)
{
    struct seen seen = {0};
    struct heel_exec *exec = start(client, "silent", NULL, &seen);
    struct heel_error *error = NULL;

    REQUIRE(!heel_exec_run_in_thread(exec, NULL));
    heel_exec_cancel(exec);
    CHECK_INT(heel_exec_join(exec, NULL, &error), -1);
    CHECK_INT(heel_error_code(error), HEEL_ERROR_CANCELLED);
    heel_error_free(error);
    heel_exec_free(exec);
}

/* Not joined: the thread is gone with the exec. */
static void test_free_in_thread(struct heel_client *client)
{
    struct seen seen = {0};
    struct heel_exec *exec = start(client, "silent", NULL, &seen);

    REQUIRE(!heel_exec_run_in_thread(exec, NULL));
    heel_exec_free(exec);
}

int main(void)
{
    int pair[2];
    struct fake_server *server;
    struct heel_client *client;

    REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
    server = fake_server_start(NULL, pair[1]);
    REQUIRE(!heel_client_open_fd(pair[0], NULL, &client, NULL));
    test_echo(client);
    test_forward(client);
    test_forward_closed(client);
    test_signal_behind_input(client);
    test_signal_from_handler(client);
    test_flood(client);
    test_hold(client, server);
    test_refused(client);
    test_cancel(client);
    test_thread(client);
    test_cancel_in_thread(client);
    test_free_in_thread(client);
    test_abandoned(client, server);
    test_lost(client);
    heel_client_close(client);
    fake_server_stop(server);
    return heel_test_end();
}
