/* libheel against a real heeld that it has started itself: what only a real one can show. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/test.h"
#include "base/text.h"
#include "clients/c/libheel/heel/heel.h"

static struct heel_client *open_embedded(void)
{
    heel_autoerror struct heel_error *error = NULL;
    struct heel_client *client = NULL;

    if (heel_client_open_embedded(NULL, &client, &error))
        HEEL_TEST_FAIL("%s", heel_error_message(error));
    REQUIRE(client);
    return client;
}

static struct heel_run_result *run(struct heel_client *client, struct heel_target target,
                                   const char *script)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    const struct heel_command command = {HEEL_INIT(heel_command), .argv = argv};
    heel_autoerror struct heel_error *error = NULL;
    struct heel_run_result *result = NULL;

    if (heel_run(client, target, &command, NULL, &result, &error))
        HEEL_TEST_FAIL("%s", heel_error_message(error));
    REQUIRE(result);
    return result;
}

static void check_output(struct heel_run_result *result, const char *expected)
{
    heel_autofree char *output = strndup(result->output.data, result->output.length);

    CHECK_STR(output, expected);
    heel_run_result_free(result);
}

/* Files of one command are there for the next. */
static void test_life(struct heel_client *client)
{
    const struct heel_pair labels[] = {{"a", "b"}};
    const struct heel_spec spec = {HEEL_INIT(heel_spec), .labels = labels, .label_count = 1,
                                   .ttl_ms = 600000};
    const struct heel_update update = {HEEL_INIT(heel_update), .set_labels = true, .set_ttl = true};
    struct heel_sandbox_info *sandbox;
    struct heel_sandbox_page *page;

    REQUIRE(!heel_sandbox_create(client, "life", &spec, NULL, &sandbox, NULL));
    CHECK_INT(sandbox->state, HEEL_SANDBOX_READY);
    CHECK(sandbox->enforcement_count > 0 && sandbox->expire_time_ms > sandbox->create_time_ms);
    heel_sandbox_info_free(sandbox);
    heel_run_result_free(run(client, heel_in_sandbox("life"), "echo kept > file"));
    check_output(run(client, heel_in_sandbox("life"), "cat file"), "kept\n");
    REQUIRE(!heel_sandbox_update(client, "life", &update, NULL, &sandbox, NULL));
    CHECK_INT(sandbox->spec.label_count, 0);
    CHECK_INT(sandbox->expire_time_ms, 0);
    heel_sandbox_info_free(sandbox);
    REQUIRE(!heel_sandbox_list(client, NULL, NULL, &page, NULL));
    CHECK_INT(page->count, 1);
    heel_sandbox_page_free(page);
    CHECK_INT(heel_sandbox_delete(client, "life", false, NULL, NULL, NULL), 0);
    CHECK_INT(heel_sandbox_delete(client, "life", true, NULL, NULL, NULL), 0);
    CHECK_INT(heel_sandbox_get(client, "life", NULL, &sandbox, NULL), -1);
}

static void test_ends(struct heel_client *client)
{
    const char *absent[] = {"/no/such/program", NULL};
    const struct heel_command command = {HEEL_INIT(heel_command), .argv = absent};
    struct heel_run_result *result = run(client, heel_in_new_sandbox(NULL), "exit 3");

    CHECK_INT(result->status.code, 3);
    heel_run_result_free(result);
    result = run(client, heel_in_new_sandbox(NULL), "kill -TERM $$");
    CHECK_INT(result->status.signal, SIGTERM);
    heel_run_result_free(result);
    REQUIRE(!heel_run(client, heel_in_new_sandbox(NULL), &command, NULL, &result, NULL));
    CHECK_INT(result->status.reason, HEEL_EXIT_START_FAILED);
    CHECK_INT(result->status.code, 127);
    heel_run_result_free(result);
}

/* A bad request names its field. */
static void test_bad_request(struct heel_client *client)
{
    const struct heel_path_rule paths[] = {{"/usr", HEEL_ACCESS_READ},
                                           {"relative", HEEL_ACCESS_READ}};
    const struct heel_spec spec = {HEEL_INIT(heel_spec), .paths = paths, .path_count = 2};
    heel_autoerror struct heel_error *error = NULL;
    struct heel_sandbox_info *sandbox;

    CHECK_INT(heel_sandbox_create(client, NULL, &spec, NULL, &sandbox, &error), -1);
    CHECK_INT(heel_error_code(error), HEEL_ERROR_INVALID_ARGUMENT);
    CHECK_STR(heel_error_field(error), "spec.filesystem.paths[1].path");
}

static void count_bytes(struct heel_exec *exec, struct heel_bytes bytes, void *data)
{
    (void)exec;
    *(size_t *)data += bytes.length;
}

/* 32 MiB in and out of a real program. */
static void test_through_cat(struct heel_client *client)
{
    const char *argv[] = {"cat", NULL};
    const struct heel_command command = {HEEL_INIT(heel_command), .argv = argv};
    const struct heel_exec_events events = {HEEL_INIT(heel_exec_events), .on_output = count_bytes};
    FILE *file = tmpfile();
    size_t total = 0;
    struct heel_exit_status status;
    struct heel_exec *exec;

    REQUIRE(file && !ftruncate(fileno(file), 32 << 20));
    REQUIRE(!heel_exec_start(client, heel_in_new_sandbox(NULL), &command, NULL, &events, &total,
                             &exec, NULL));
    heel_exec_forward(exec, fileno(file));
    REQUIRE(!heel_exec_run(exec, &status, NULL));
    CHECK_INT(status.code, 0);
    CHECK_INT(total, 32 << 20);
    heel_exec_free(exec);
    fclose(file);
}

/* The pid of this process's one child. */
static pid_t child_of(pid_t parent)
{
    heel_autofree char *path = heel_format("/proc/%d/task/%d/children", (int)parent, (int)parent);
    FILE *file = fopen(path, "re");
    int child = 0;

    if (!file || fscanf(file, "%d", &child) != 1)
        child = 0;
    if (file)
        fclose(file);
    return child;
}

/* Its server killed: the call that runs fails, the next one has another server. */
static void test_lost_server(void)
{
    struct heel_client *client = open_embedded();
    heel_autoerror struct heel_error *error = NULL;
    struct heel_server_info *info;

    check_output(run(client, heel_in_new_sandbox(NULL), "echo first"), "first\n");
    REQUIRE(child_of(getpid()) > 0);
    kill(child_of(getpid()), SIGKILL);
    if (heel_server_info_get(client, NULL, &info, &error))
        CHECK_INT(heel_error_code(error), HEEL_ERROR_UNAVAILABLE);
    else
        heel_server_info_free(info);
    check_output(run(client, heel_in_new_sandbox(NULL), "echo second"), "second\n");
    heel_client_close(client);
    CHECK_INT(child_of(getpid()), 0);
    CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD); /* no zombie either */
}

/* The caller killed: its server goes, and with it what ran. */
static void test_killed_caller(void)
{
    struct pollfd gone = {.events = POLLIN};
    int told[2];
    pid_t caller, server;
    char byte;

    REQUIRE(!pipe2(told, O_CLOEXEC));
    caller = fork();
    if (caller == 0) {
        struct heel_client *client = open_embedded();

        check_output(run(client, heel_in_new_sandbox(NULL), "echo"), "\n");
        REQUIRE(write(told[1], "x", 1) == 1);
        pause();
    }
    REQUIRE(read(told[0], &byte, 1) == 1);
    server = child_of(caller);
    REQUIRE(server > 0);
    gone.fd = (int)syscall(SYS_pidfd_open, server, 0);
    kill(caller, SIGKILL);
    CHECK_INT(poll(&gone, 1, 5000), 1);
    waitpid(caller, NULL, 0);
    close(gone.fd);
}

static void test_no_program(void)
{
    const struct heel_client_options options = {HEEL_INIT(heel_client_options),
                                                .server_program = "/no/such/heeld"};
    heel_autoerror struct heel_error *error = NULL;
    struct heel_client *client;

    CHECK_INT(heel_client_open_embedded(&options, &client, &error), -1);
    CHECK_INT(heel_error_code(error), HEEL_ERROR_UNAVAILABLE);
}

int main(int argc, char **argv)
{
    struct heel_client *client;

    if (argc < 2)
        return heel_test_skip("no heeld was named");
    setenv("HEEL_HEELD", argv[1], 1);
    test_killed_caller(); /* first: it forks, and gRPC doesn't live through that */
    client = open_embedded();
    test_life(client);
    test_ends(client);
    test_bad_request(client);
    test_through_cat(client);
    heel_client_close(client);
    test_lost_server();
    test_no_program();
    return heel_test_end();
}
