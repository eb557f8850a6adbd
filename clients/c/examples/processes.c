/* An orchestrator's day: a process that lives on in the background, a reader that leaves and comes
 * back to where it was, on a loop of this program's own, and what the server tells of it all.
 *
 *     cc processes.c $(pkg-config --cflags --libs heel) -o processes
 */
#include <heel/heel.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

static int fail(const char *what, struct heel_error *error)
{
    fprintf(stderr, "%s: %s (%s)\n", what, heel_error_message(error),
            heel_error_code_name(heel_error_code(error)));
    heel_error_free(error);
    return 1;
}

/* A reader, and how far it has come: with that it can go on where it stopped, in another connection
 * or another program. */
struct reader {
    uint64_t offset;
    unsigned patience; /* leaves after so many pieces of output */
    const char *says;  /* for the process to read; NULL: nothing */
    bool over;
};

static void on_output(struct heel_exec *exec, struct heel_bytes output, void *data)
{
    struct reader *reader = data;

    (void)exec;
    printf("from byte %" PRIu64 ": %.*s", reader->offset, (int)output.length,
           (const char *)output.data);
    reader->offset += output.length;
    reader->patience--;
}

/* Only a reader that comes too late sees this: the output between the two offsets is kept no more.
 */
static void on_gap(struct heel_exec *exec, bool errors, uint64_t from, uint64_t to, void *data)
{
    struct reader *reader = data;

    (void)exec;
    if (errors)
        return;
    printf("%" PRIu64 " bytes were lost\n", to - from);
    reader->offset = to;
}

static void on_exited(struct heel_exec *exec, const struct heel_exit_status *status,
                      const struct heel_usage *usage, void *data)
{
    (void)exec;
    (void)usage;
    ((struct reader *)data)->over = true;
    printf("%s with code %d\n", heel_exit_reason_name(status->reason), status->code);
}

/* Any loop that can wait for a descriptor does; this one has no other to wait for. */
static int read_on(struct heel_client *client, const struct heel_process_info *process,
                   struct reader *reader)
{
    const struct heel_exec_events events = {HEEL_INIT(heel_exec_events), .on_output = on_output,
                                            .on_exited = on_exited, .on_gap = on_gap};
    const struct heel_attach attach = {HEEL_INIT(heel_attach), .output_offset = reader->offset};
    struct heel_error *error = NULL;
    struct heel_exec *exec;
    bool goes_on = true;
    int result = 0;

    if (heel_exec_attach(client, process->sandbox_id, process->id, &attach, NULL, &events, reader,
                         &exec, &error))
        return fail("attach", error);
    if (reader->says) {
        heel_exec_write(exec, reader->says, strlen(reader->says));
        heel_exec_close_input(exec);
    }
    while (goes_on && reader->patience > 0 && !reader->over) {
        struct pollfd watched = {.fd = heel_exec_fd(exec), .events = POLLIN};

        poll(&watched, 1, -1);
        goes_on = heel_exec_dispatch(exec);
    }
    if (!goes_on && !reader->over && heel_exec_finish(exec, NULL, &error))
        result = fail("attach", error); /* the server was lost */
    heel_exec_free(exec);               /* the process goes on */
    return result;
}

static bool on_event(const struct heel_event *event, void *data)
{
    (void)data;
    if (event->kind == HEEL_EVENT_SANDBOX)
        printf("event: the sandbox is %s\n", heel_sandbox_event_name(event->sandbox));
    else if (event->kind == HEEL_EVENT_PROCESS_STARTED)
        printf("event: %s started\n", event->process_id);
    else if (event->kind == HEEL_EVENT_PROCESS_EXITED)
        printf("event: %s ended: %s\n", event->process_id,
               heel_exit_reason_name(event->status.reason));
    return event->kind != HEEL_EVENT_PROCESS_EXITED;
}

/* Everything since the server began, as nothing was seen yet. Who comes again gives the epoch and
 * the sequence number of the last event that it saw. */
static int tell_what_happened(struct heel_client *client)
{
    const struct heel_watch watch = {HEEL_INIT(heel_watch), .resume = true};
    struct heel_error *error = NULL;

    return heel_events_watch(client, &watch, NULL, on_event, NULL, &error) ? fail("watch", error)
                                                                           : 0;
}

static int work_in(struct heel_client *client, const char *sandbox)
{
    const char *argv[] = {"sh", "-c", "echo begun; read line; echo \"$line\"; exit 3", NULL};
    const struct heel_command command = {HEEL_INIT(heel_command), .argv = argv,
                                         .process_id = "worker"};
    struct reader reader = {.patience = 1};
    struct heel_process_info *process;
    struct heel_error *error = NULL;
    int result;

    if (heel_process_start(client, sandbox, &command, false, NULL, &process, &error))
        return fail("start", error);
    result = read_on(client, process, &reader);
    reader.patience = UINT32_MAX;
    reader.says = "hello\n";
    if (!result)
        result = read_on(client, process, &reader);
    heel_process_info_free(process);
    return result ? result : tell_what_happened(client);
}

int main(void)
{
    struct heel_sandbox_info *sandbox;
    struct heel_error *error = NULL;
    struct heel_client *client;
    int result;

    if (heel_client_open_embedded(NULL, &client, &error))
        return fail("open", error);
    if (heel_sandbox_create(client, NULL, NULL, NULL, &sandbox, &error)) {
        heel_client_close(client);
        return fail("create", error);
    }
    result = work_in(client, sandbox->id);
    heel_sandbox_info_free(sandbox);
    heel_client_close(client); /* and with it the server and its sandboxes */
    return result;
}
