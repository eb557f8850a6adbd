/* An agent's turn: a sandbox that lasts, a command whose output is captured, and one that is spoken
 * to while it runs.
 *
 *     cc sandbox.c $(pkg-config --cflags --libs heel) -o sandbox
 *
 * It brings its own server with it. With a heeld that runs, say heel_client_open(NULL, NULL,
 * &client, &error) instead. */
#include <heel/heel.h>
#include <stdio.h>
#include <string.h>

static int fail(const char *what, struct heel_error *error)
{
    fprintf(stderr, "%s: %s (%s)\n", what, heel_error_message(error),
            heel_error_code_name(heel_error_code(error)));
    heel_error_free(error);
    return 1;
}

/* Runs to its end; the output comes all at once. */
static int count_files(struct heel_client *client, const char *sandbox)
{
    const char *argv[] = {"sh", "-c", "touch one two three; ls | wc -l", NULL};
    const struct heel_command command = {HEEL_INIT(heel_command), .argv = argv,
                                         .timeout_ms = 10000};
    struct heel_error *error = NULL;
    struct heel_run_result *result;

    if (heel_run(client, heel_in_sandbox(sandbox), &command, NULL, &result, &error))
        return fail("run", error);
    printf("exit code %d, output %.*s", result->status.code, (int)result->output.length,
           (const char *)result->output.data);
    heel_run_result_free(result);
    return 0;
}

static void on_output(struct heel_exec *exec, struct heel_bytes output, void *data)
{
    (void)exec;
    (void)data;
    printf("it says: %.*s", (int)output.length, (const char *)output.data);
}

/* The output comes as it is written; what the command reads is written here. */
static int speak(struct heel_client *client, const char *sandbox)
{
    const char *argv[] = {"sh", "-c", "read name; echo hello, $name", NULL};
    const struct heel_command command = {HEEL_INIT(heel_command), .argv = argv};
    const struct heel_exec_events events = {HEEL_INIT(heel_exec_events), .on_output = on_output};
    struct heel_exit_status status;
    struct heel_error *error = NULL;
    struct heel_exec *exec;
    int result;

    if (heel_exec_start(client, heel_in_sandbox(sandbox), &command, NULL, &events, NULL, &exec,
                        &error))
        return fail("exec", error);
    heel_exec_write(exec, "world\n", strlen("world\n"));
    heel_exec_close_input(exec);
    result = heel_exec_run(exec, &status, &error) ? fail("exec", error) : status.code;
    heel_exec_free(exec);
    return result;
}

int main(void)
{
    const struct heel_pair labels[] = {{"agent", "example"}};
    const struct heel_spec spec = {
        HEEL_INIT(heel_spec), .level = HEEL_LEVEL_STRICT, .labels = labels, .label_count = 1,
        .ttl_ms = 60000, /* should this program be stopped half way */
    };
    struct heel_sandbox_info *sandbox;
    struct heel_error *error = NULL;
    struct heel_client *client;
    int result;

    if (heel_client_open_embedded(NULL, &client, &error))
        return fail("open", error);
    if (heel_sandbox_create(client, NULL, &spec, NULL, &sandbox, &error)) {
        heel_client_close(client);
        return fail("create", error);
    }
    result = count_files(client, sandbox->id) || speak(client, sandbox->id);
    if (heel_sandbox_delete(client, sandbox->id, false, NULL, NULL, &error))
        result = fail("delete", error);
    heel_sandbox_info_free(sandbox);
    heel_client_close(client);
    return result;
}
