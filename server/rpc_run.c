/* RunCommand: one command to its end, its output captured. Calls with the same process id share one
 * run. */
#include <string.h>

#include "server/command.h"
#include "server/core.h"
#include "server/edge.h"
#include "server/inference.h"
#include "server/process_ids.h"
#include "server/service.h"
#include "server/spec.h"
#include "server/spec_check.h"

#define READ_BYTES 65536
#define READS_PER_TURN 16 /* then others have a turn */

/* A call that waits for a run's answer. */
struct run_waiter {
    struct run_waiter *next;
    struct run *run;
    struct grpcc_unary *call;
};

/* What was kept of one stream. */
struct capture {
    struct heel_buffer bytes;
    bool truncated;
};

struct run {
    struct run *next;               /* in the sandbox's list, if `listed` */
    struct caller *caller;          /* borrowed */
    struct server_sandbox *sandbox; /* borrowed; NULL until it is made, and when it is gone */
    struct server_command *command; /* owned; NULL before it is started */
    Heel__V1__Command *request;     /* owned */
    struct heel_buffer canonical;   /* of the request */
    char *process_id;               /* owned; "" unless the client chose it */
    char *sandbox_id;               /* owned */
    bool private_sandbox;           /* made for this run */
    bool listed;
    size_t max_bytes;
    struct capture out;
    struct capture err;
    bool inferring;                         /* it is over, and its complaints are looked at */
    struct run_waiter *waiters;             /* owned */
    Heel__V1__RunCommandResponse *response; /* owned; once the command is over */
};

static void capture_free(struct capture *capture)
{
    heel_buffer_free(&capture->bytes);
}

static void run_unlist(struct run *run)
{
    struct run **link;

    if (!run->listed || !run->sandbox)
        return;
    for (link = &run->sandbox->runs; *link != run; link = &(*link)->next) {
    }
    *link = run->next;
    run->listed = false;
}

static void run_free(struct run *run)
{
    run_unlist(run);
    if (run->command)
        command_free(run->command);
    heel__v1__command__free_unpacked(run->request, NULL);
    heel__v1__run_command_response__free_unpacked(run->response, NULL);
    heel_buffer_free(&run->canonical);
    capture_free(&run->out);
    capture_free(&run->err);
    free(run->process_id);
    free(run->sandbox_id);
    free(run);
}

/* ---- those who wait ---- */

static void fail_waiters(struct run *run, const struct heel_error *error)
{
    while (run->waiters) {
        struct run_waiter *waiter = run->waiters;

        run->waiters = waiter->next;
        service_fail(waiter->call, error);
        free(waiter);
    }
}

static void answer_waiters(struct run *run)
{
    while (run->waiters) {
        struct run_waiter *waiter = run->waiters;

        run->waiters = waiter->next;
        grpcc_reply(waiter->call, &run->response->base);
        free(waiter);
    }
}

/* The last caller who gives up takes the command with it. */
static void on_cancel(struct grpcc_unary *call, void *data)
{
    struct run_waiter *waiter = data;
    struct run *run = waiter->run;
    struct run_waiter **link;

    for (link = &run->waiters; *link != waiter; link = &(*link)->next) {
    }
    *link = waiter->next;
    free(waiter);
    grpcc_fail(call, grpcc_status_new(HEEL_CANCELLED, "the caller gave up"));
    if (!run->waiters && run->command)
        command_kill(run->command, HEEL__V1__EXIT_REASON__EXIT_REASON_DISCONNECTED);
}

static void add_waiter(struct run *run, struct grpcc_unary *call)
{
    struct run_waiter *waiter = heel_xmalloc(sizeof *waiter);

    *waiter = (struct run_waiter){.next = run->waiters, .run = run, .call = call};
    run->waiters = waiter;
    grpcc_unary_on_cancel(call, on_cancel, waiter);
}

/* ---- the end ---- */

static void take_capture(struct capture *capture, ProtobufCBinaryData *field,
                         protobuf_c_boolean *truncated)
{
    field->len = capture->bytes.length;
    field->data = (uint8_t *)heel_steal(capture->bytes.data);
    *truncated = capture->truncated;
    capture->bytes = (struct heel_buffer){0};
}

static Heel__V1__RunCommandResponse *new_response(struct run *run)
{
    Heel__V1__RunCommandResponse *response = heel_xmalloc(sizeof *response);
    const struct server_command *command = run->command;

    heel__v1__run_command_response__init(response);
    response->status = command_facts_new_status(command->facts);
    response->usage = edge_new_usage(&command->facts->exit);
    response->n_denials = command->facts->denials.count;
    response->denials = denials_describe(&command->facts->denials);
    response->denials_truncated = command->facts->denials.truncated;
    take_capture(&run->out, &response->stdout, &response->stdout_truncated);
    take_capture(&run->err, &response->stderr, &response->stderr_truncated);
    response->process_id = heel_xstrdup(command->facts->id);
    response->sandbox_id = heel_xstrdup(run->sandbox_id);
    return response;
}

static void keep_answer(struct run *run)
{
    struct heel_buffer packed = {0};
    size_t size = heel__v1__run_command_response__get_packed_size(run->response);

    heel__v1__run_command_response__pack(run->response,
                                         (uint8_t *)heel_buffer_reserve(&packed, size));
    packed.length = size;
    answers_keep(&run->sandbox->answers, run->process_id, &run->canonical, &packed);
}

/* An error is logged; the command itself did what it did. */
static void on_private_sandbox_deleted(const struct sandbox_end *end, void *data)
{
    struct run *run = data;

    if (end->left)
        run->response->acting_files = edge_new_acting_files(end->left);
    answer_waiters(run);
    run_free(run);
}

static void finish(void *data)
{
    struct run *run = data;

    run->inferring = false;
    run->response = new_response(run);
    command_facts_settle(run->command->facts);
    if (run->process_id[0] && run->sandbox && !run->private_sandbox)
        keep_answer(run);
    if (run->private_sandbox && run->sandbox) {
        struct server_sandbox *sandbox = run->sandbox;

        run_unlist(run);
        run->sandbox = NULL;
        sandboxes_delete(sandbox, on_private_sandbox_deleted, run);
        return;
    }
    answer_waiters(run);
    run_free(run);
}

/* ---- while it runs ---- */

/* Reads on beyond what is kept, so that the command never waits for a reader. */
static void drain(struct run *run, struct output *output, struct capture *capture)
{
    static char scratch[READ_BYTES]; /* the loop's thread is the only one here */

    for (int turn = 0; turn < READS_PER_TURN; turn++) {
        ssize_t got = output_read(output, scratch, sizeof scratch);
        size_t room = run->max_bytes - capture->bytes.length;

        if (got <= 0)
            return;
        capture->truncated = capture->truncated || (size_t)got > room;
        heel_buffer_append(&capture->bytes, scratch, (size_t)got < room ? (size_t)got : room);
    }
}

/* Why it failed, as far as the sandbox had to do with it. */
static bool infer(struct run *run)
{
    return run->sandbox && inference_start(run->sandbox, run->command->facts, run->err.bytes.data,
                                           run->err.bytes.length, finish, run);
}

static void pump(struct run *run)
{
    struct server_command *command = run->command;

    if (run->response || run->inferring) /* over already, and waiting for its private sandbox to be
                                            gone or for inference */
        return;
    do {
        drain(run, &command->out, &run->out);
        drain(run, &command->err, &run->err);
    } while (command->facts->exited && !(command->out.ended && command->err.ended));
    if (command->facts->exited) {
        run->inferring = infer(run);
        if (!run->inferring)
            finish(run);
        return;
    }
    output_wait(&command->out);
    output_wait(&command->err);
}

static void on_started(struct server_command *command, void *data)
{
    (void)command;
    (void)data;
}

static void on_command_event(struct server_command *command, void *data)
{
    (void)command;
    pump(data);
}

/* The pump's end frees the run: nothing may touch it afterwards. */
static void on_exited(struct server_command *command, void *data)
{
    (void)command;
    pump(data);
}

static const struct command_events events = {
    .on_started = on_started,
    .on_readable = on_command_event,
    .on_exited = on_exited,
};

static int start(struct run *run, struct server_sandbox *sandbox, const Heel__V1__Command *request,
                 struct heel_error **err)
{
    run->sandbox = sandbox;
    run->sandbox_id = heel_xstrdup(sandbox->id);
    run->max_bytes = sandbox->spec->limits->max_output_bytes;
    run->command = command_start(sandbox, request, request->stdin.len > 0, &events, run, err);
    if (!run->command)
        return -1;
    run->next = sandbox->runs;
    sandbox->runs = run;
    run->listed = true;
    if (request->stdin.len > 0)
        input_write(&run->command->in, request->stdin.data, request->stdin.len);
    input_finish(&run->command->in);
    output_wait(&run->command->out);
    output_wait(&run->command->err);
    return 0;
}

void runs_release(struct server_sandbox *sandbox)
{
    while (sandbox->runs) {
        struct run *run = sandbox->runs;

        sandbox->runs = run->next;
        run->listed = false;
        run->sandbox = NULL;
    }
}

/* ---- in a sandbox of its own ---- */

static void on_failed_sandbox_deleted(const struct sandbox_end *end, void *data)
{
    (void)end;
    run_free(data);
}

static void on_private_sandbox(struct server_sandbox *sandbox, const struct heel_error *error,
                               void *data)
{
    heel_autoerror struct heel_error *start_error = NULL;
    struct run *run = data;

    if (error) {
        fail_waiters(run, error);
        run_free(run);
        return;
    }
    if (run->waiters && start(run, sandbox, run->request, &start_error) == 0)
        return;
    if (start_error)
        fail_waiters(run, start_error);
    run->sandbox = NULL;
    sandboxes_delete(sandbox, on_failed_sandbox_deleted, run);
}

static int run_in_new_sandbox(struct run *run, const Heel__V1__RunCommandRequest *request,
                              struct heel_error **err)
{
    run->private_sandbox = true;
    run->request = spec_copy_command(request->command);
    return sandboxes_create(run->caller, "", request->spec, true, on_private_sandbox, run, err);
}

/* ---- in one that is there ---- */

/* The run or the answer that this call is a retry of. 1 if there was one and the call is taken care
 * of, 0 if there is none, or -1 and *err. */
static int join(struct server_sandbox *sandbox, const struct run *wanted, struct grpcc_unary *call,
                struct heel_error **err)
{
    const char *id = wanted->process_id;
    const struct answer *answer = answers_find(&sandbox->answers, id);
    struct run *run;

    for (run = sandbox->runs; run && strcmp(run->process_id, id) != 0; run = run->next) {
    }
    if (run && heel_buffer_equal(&run->canonical, &wanted->canonical)) {
        add_waiter(run, call);
        return 1;
    }
    if (answer && answer->response.length > 0 &&
        heel_buffer_equal(&answer->command, &wanted->canonical)) {
        Heel__V1__RunCommandResponse *response = heel__v1__run_command_response__unpack(
            NULL, answer->response.length, (const uint8_t *)answer->response.data);

        grpcc_reply(call, &response->base);
        heel__v1__run_command_response__free_unpacked(response, NULL);
        return 1;
    }
    return process_id_check_free(sandbox, id, err);
}

static int run_in_sandbox(struct run *run, const Heel__V1__RunCommandRequest *request,
                          struct grpcc_unary *call, struct heel_error **err)
{
    struct server_sandbox *sandbox = sandboxes_find_ready(run->caller, request->sandbox_id, err);
    int joined;

    if (!sandbox)
        return -1;
    if (run->process_id[0]) {
        joined = join(sandbox, run, call, err);
        if (joined != 0) {
            if (joined > 0)
                run_free(run);
            return joined < 0 ? -1 : 0;
        }
    }
    if (start(run, sandbox, request->command, err) < 0) {
        run->sandbox = NULL;
        return -1;
    }
    add_waiter(run, call);
    return 0;
}

static struct run *new_run(struct caller *caller, const Heel__V1__Command *command)
{
    struct run *run = heel_xcalloc(1, sizeof *run);

    run->caller = caller;
    run->process_id = heel_xstrdup(command->process_id);
    if (command->process_id[0])
        spec_append_canonical_command(command, &run->canonical);
    return run;
}

static int check_request(const Heel__V1__RunCommandRequest *request, struct heel_error **err)
{
    if (request->target_case == HEEL__V1__RUN_COMMAND_REQUEST__TARGET__NOT_SET)
        return heel_error_set_field(err, "sandbox_id", "either sandbox_id or spec is needed");
    if (request->target_case == HEEL__V1__RUN_COMMAND_REQUEST__TARGET_SPEC &&
        spec_check(request->spec, "spec", err) < 0)
        return -1;
    return spec_check_captured_command(request->command, err);
}

void rpc_run_command(struct grpcc_unary *call, const Heel__V1__RunCommandRequest *request,
                     void *service)
{
    heel_autoerror struct heel_error *error = NULL;
    struct caller *caller = service;
    struct run *run;
    int result;

    service_begin(grpcc_unary_call(call), caller, "RunCommand");
    if (check_request(request, &error) < 0) {
        service_fail(call, error);
        return;
    }
    run = new_run(caller, request->command);
    if (request->target_case == HEEL__V1__RUN_COMMAND_REQUEST__TARGET_SPEC) {
        result = run_in_new_sandbox(run, request, &error);
        if (result == 0)
            add_waiter(run, call);
    } else {
        result = run_in_sandbox(run, request, call, &error);
    }
    if (result < 0) {
        run_free(run);
        service_fail(call, error);
    }
}
