#include "clients/c/cli/session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "clients/c/cli/exit_code.h"
#include "clients/c/cli/report.h"
#include "clients/c/libheel/exec.h"
#include "clients/c/libheel/sink.h"
#include "proto/runtime/json.h"

#define READ_BYTES ((size_t)64 << 10)

/* So many of these signals within so long kill. */
#define PATIENCE 3
#define PATIENCE_SECONDS 2

struct session {
    const struct cli_session *options;
    struct heel_exec *exec;
    struct sink output;
    struct sink errors;
    struct sink *blocked;    /* the one that `rest` waits for; NULL while none does */
    struct heel_buffer rest; /* what could not be written yet; empty while nothing is blocked */
    size_t rest_start;       /* where in it what was not written begins */
    bool input_open;
    uint64_t output_seen; /* offsets up to which output has come */
    uint64_t errors_seen;
    int write_errno; /* why output can't be passed on any more */
    bool exited;
    struct heel_exit_status status;
};

/* ---- signals ---- */

/* For the handlers, which get nothing else. Set before they are installed. */
static struct heel_exec *signalled_exec;
static volatile sig_atomic_t killed_by;

static void on_signal(int number)
{
    static struct timespec last;
    static int count;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    count = now.tv_sec - last.tv_sec > PATIENCE_SECONDS ? 1 : count + 1;
    last = now;
    heel_exec_signal(signalled_exec, number);
    if (count < PATIENCE)
        return;
    killed_by = number;
    heel_exec_cancel(signalled_exec);
}

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* A signal that is ignored here was meant to be: by nohup, or by a shell for what runs in the
 * background. */
static void handle_signals(void (*handler)(int number))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, before;

    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(passed_on); i++)
        if (!sigaction(passed_on[i], NULL, &before) && before.sa_handler != SIG_IGN)
            sigaction(passed_on[i], &action, NULL);
}

/* ---- output ---- */

static size_t write_to(struct session *session, struct sink *sink, const void *bytes, size_t length)
{
    long written = sink_write(sink, bytes, length);

    if (written >= 0)
        return (size_t)written;
    session->write_errno = errno;
    session->blocked = NULL;
    heel_exec_cancel(session->exec);
    return length;
}

/* What can't be written now is kept, and nothing more is read until it went. */
static void pass_on(struct session *session, struct sink *sink, const void *bytes, size_t length)
{
    size_t written;

    if (session->write_errno)
        return;
    written = write_to(session, sink, bytes, length);
    if (written == length)
        return;
    session->blocked = sink;
    session->rest.length = 0;
    session->rest_start = 0;
    heel_buffer_append(&session->rest, (const char *)bytes + written, length - written);
    heel_exec_hold(session->exec);
}

static void pass_rest_on(struct session *session)
{
    session->rest_start +=
        write_to(session, session->blocked, session->rest.data + session->rest_start,
                 session->rest.length - session->rest_start);
    if (session->rest_start < session->rest.length)
        return;
    session->blocked = NULL;
    heel_exec_release(session->exec);
}

static void on_output(struct heel_exec *exec, struct heel_bytes bytes, void *data)
{
    struct session *session = data;

    (void)exec;
    pass_on(session, &session->output, bytes.data, bytes.length);
}

static void on_errors(struct heel_exec *exec, struct heel_bytes bytes, void *data)
{
    struct session *session = data;

    (void)exec;
    pass_on(session, &session->errors, bytes.data, bytes.length);
}

static void on_exited(struct heel_exec *exec, const struct heel_exit_status *status,
                      const struct heel_usage *usage, void *data)
{
    struct session *session = data;

    (void)exec;
    (void)usage;
    session->exited = true;
    session->status = *status;
}

static void on_gap(struct heel_exec *exec, bool errors, uint64_t from, uint64_t to, void *data)
{
    (void)exec;
    (void)data;
    cli_note("of standard %s the bytes from %llu up to %llu are kept no more",
             errors ? "error" : "output", (unsigned long long)from, (unsigned long long)to);
}

static void note_offsets(struct session *session, const Heel__V1__ExecResponse *response)
{
    const Heel__V1__OutputChunk *chunk;

    switch (response->message_case) {
    case HEEL__V1__EXEC_RESPONSE__MESSAGE_STDOUT:
        chunk = response->stdout;
        session->output_seen = chunk->offset + chunk->data.len;
        return;
    case HEEL__V1__EXEC_RESPONSE__MESSAGE_STDERR:
        chunk = response->stderr;
        session->errors_seen = chunk->offset + chunk->data.len;
        return;
    case HEEL__V1__EXEC_RESPONSE__MESSAGE_GAP:
        if (response->gap->stream == HEEL__V1__OUTPUT_STREAM__OUTPUT_STREAM_STDERR)
            session->errors_seen = response->gap->to;
        else
            session->output_seen = response->gap->to;
        return;
    default:
        return;
    }
}

/* Every message as a line of JSON. How much of stdin was taken is no news to anybody outside. */
static void on_message(const Heel__V1__ExecResponse *response, void *data)
{
    struct session *session = data;
    heel_autobuffer struct heel_buffer line = {0};

    note_offsets(session, response);
    if (!session->options->json ||
        response->message_case == HEEL__V1__EXEC_RESPONSE__MESSAGE_STDIN_TAKEN)
        return;
    grpcc_json_print(&response->base, NULL, &line);
    heel_buffer_append_text(&line, "\n");
    pass_on(session, &session->output, line.data, line.length);
}

/* ---- input ---- */

static void end_of_input(struct session *session)
{
    session->input_open = false;
    heel_exec_close_input(session->exec);
}

static void read_input(struct session *session)
{
    char bytes[READ_BYTES];
    ssize_t length = read(STDIN_FILENO, bytes, sizeof(bytes));

    if (length > 0)
        heel_exec_write(session->exec, bytes, (size_t)length);
    else if (length == 0 || (errno != EINTR && errno != EAGAIN))
        end_of_input(session);
}

/* ---- the loop ---- */

static void wait_for_something(struct session *session)
{
    bool takes_input = session->input_open && exec_input_room(session->exec) >= READ_BYTES;
    struct pollfd watched[] = {
        {.fd = heel_exec_fd(session->exec), .events = POLLIN},
        {.fd = session->blocked ? session->blocked->out : -1, .events = POLLOUT},
        {.fd = takes_input ? STDIN_FILENO : -1, .events = POLLIN},
    };

    if (poll(watched, HEEL_ARRAY_LENGTH(watched), -1) < 0)
        return;
    if (watched[1].revents)
        pass_rest_on(session);
    if (watched[2].revents)
        read_input(session);
}

/* All that there was when the session began has come. */
static bool has_seen_all(const struct session *session)
{
    const struct heel_process_info *as_of = session->options->as_of;

    return as_of && session->output_seen >= as_of->output.end &&
           session->errors_seen >= as_of->errors.end;
}

/* The command is over with its last message, and with it all of its output: waiting for the
 * stream's own end would only cost time. Where the server was lost, what had come before is still
 * written, unless nobody wants to wait for that. */
static void loop(struct session *session)
{
    while ((heel_exec_dispatch(session->exec) && !session->exited && !has_seen_all(session)) ||
           (session->blocked && !killed_by))
        wait_for_something(session);
}

/* ---- the end ---- */

static int unwritable(const struct session *session, struct heel_error **err)
{
    if (session->write_errno == EPIPE)
        return 128 + SIGPIPE;
    return heel_error_set_errno(err, session->write_errno,
                                "what the command writes can't be passed on");
}

int cli_session_end(const struct cli_session *options, const struct heel_exec *exec,
                    const struct heel_exit_status *status)
{
    const char *message = cli_exit_message(status);

    if (!options->json && message)
        cli_note("%s", message);
    if (!options->json && options->show_denials)
        cli_note_denials(heel_exec_denials(exec));
    if (!options->json)
        cli_note_acting_files(heel_exec_acting_files(exec));
    return cli_exit_code(status);
}

static int exit_code(struct session *session, struct heel_error **err)
{
    const struct cli_session *options = session->options;

    if (session->write_errno)
        return unwritable(session, err);
    if (options->watches && (session->exited || has_seen_all(session)))
        return CLI_EXIT_OK;
    if (!session->exited && killed_by)
        return 128 + killed_by;
    if (!session->exited)
        return heel_exec_finish(session->exec, NULL, err);
    return cli_session_end(options, session->exec, &session->status);
}

bool cli_shows_denials(const struct cli_options *options)
{
    return options->show_denials.given ? options->show_denials.on : isatty(STDERR_FILENO);
}

int cli_session_open(struct heel_client *client, const struct cli_session *options,
                     const struct heel_exec_events *events, void *data, struct heel_exec **exec,
                     struct heel_error **err)
{
    if (options->command)
        return heel_exec_start(client, options->target, options->command, NULL, events, data, exec,
                               err);
    return heel_exec_attach(client, options->target.sandbox_id, options->process_id,
                            &options->attach, NULL, events, data, exec, err);
}

static int start(struct session *session, struct heel_client *client,
                 const struct cli_session *options, struct heel_error **err)
{
    static const struct heel_exec_events as_bytes = {HEEL_INIT(heel_exec_events),
                                                     .on_output = on_output, .on_errors = on_errors,
                                                     .on_exited = on_exited, .on_gap = on_gap};
    static const struct heel_exec_events as_json = {HEEL_INIT(heel_exec_events),
                                                    .on_exited = on_exited};

    session->options = options;
    session->output = sink_new(STDOUT_FILENO);
    session->errors = sink_new(STDERR_FILENO);
    session->input_open = !options->watches;
    session->output_seen = options->attach.output_offset;
    session->errors_seen = options->attach.errors_offset;
    if (cli_session_open(client, options, options->json ? &as_json : &as_bytes, session,
                         &session->exec, err))
        return -1;
    exec_observe(session->exec, on_message);
    return 0;
}

int cli_session_run(struct heel_client *client, const struct cli_session *options, bool *exited,
                    struct heel_error **err)
{
    static struct session session; /* lives on: callbacks may come until the process ends */
    int code;

    signal(SIGPIPE, SIG_IGN);
    if (start(&session, client, options, err))
        return -1;
    signalled_exec = session.exec;
    if (!options->watches)
        handle_signals(on_signal);
    loop(&session);
    code = exit_code(&session, err);
    *exited = session.exited;
    if (!session.exited) {
        handle_signals(SIG_DFL);
        heel_exec_free(session.exec);
    }
    return code;
}
