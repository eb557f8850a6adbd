#include "clients/c/cli/session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "clients/c/cli/exit_code.h"
#include "clients/c/cli/report.h"
#include "clients/c/cli/sink.h"
#include "clients/c/libheel/exec.h"
#include "proto/runtime/json.h"

#define READ_BYTES ((size_t)64 << 10)

/* So many of these signals within so long kill. */
#define PATIENCE 3
#define PATIENCE_SECONDS 2

struct session {
    struct heel_exec *exec;
    struct sink output;
    struct sink errors;
    struct sink *blocked;    /* the one that `rest` waits for; NULL while none does */
    struct heel_buffer rest; /* what could not be written yet; empty while nothing is blocked */
    size_t rest_start;       /* where in it what was not written begins */
    bool input_open;
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

/* Every message as a line of JSON. How much of stdin was taken is no news to anybody outside. */
static void print_message(const Heel__V1__ExecResponse *response, void *data)
{
    struct session *session = data;
    heel_autobuffer struct heel_buffer line = {0};

    if (response->message_case == HEEL__V1__EXEC_RESPONSE__MESSAGE_STDIN_TAKEN)
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

/* The command is over with its last message, and with it all of its output: waiting for the
 * stream's own end would only cost time. Where the server was lost, what had come before is still
 * written, unless nobody wants to wait for that. */
static void loop(struct session *session)
{
    while ((heel_exec_dispatch(session->exec) && !session->exited) ||
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

static int exit_code(struct session *session, const struct cli_session_options *options,
                     struct heel_error **err)
{
    const char *message;

    if (session->write_errno)
        return unwritable(session, err);
    if (!session->exited && killed_by)
        return 128 + killed_by;
    if (!session->exited)
        return heel_exec_finish(session->exec, NULL, err);
    message = cli_exit_message(&session->status);
    if (message && !options->json)
        cli_note("%s", message);
    if (options->show_denials && !options->json)
        cli_note_denials(heel_exec_denials(session->exec));
    if (!options->json)
        cli_note_acting_files(heel_exec_acting_files(session->exec));
    return cli_exit_code(&session->status);
}

static int start(struct session *session, struct heel_client *client, struct heel_target target,
                 const struct heel_command *command, bool json, struct heel_error **err)
{
    static const struct heel_exec_events as_bytes = {HEEL_INIT(heel_exec_events),
                                                     .on_output = on_output, .on_errors = on_errors,
                                                     .on_exited = on_exited};
    static const struct heel_exec_events as_json = {HEEL_INIT(heel_exec_events),
                                                    .on_exited = on_exited};

    session->output = sink_new(STDOUT_FILENO);
    session->errors = sink_new(STDERR_FILENO);
    session->input_open = true;
    if (heel_exec_start(client, target, command, NULL, json ? &as_json : &as_bytes, session,
                        &session->exec, err))
        return -1;
    if (json)
        exec_observe(session->exec, print_message);
    return 0;
}

int cli_session_run(struct heel_client *client, struct heel_target target,
                    const struct heel_command *command, const struct cli_session_options *options,
                    bool *exited, struct heel_error **err)
{
    static struct session session; /* lives on: callbacks may come until the process ends */
    int code;

    signal(SIGPIPE, SIG_IGN);
    if (start(&session, client, target, command, options->json, err))
        return -1;
    signalled_exec = session.exec;
    handle_signals(on_signal);
    loop(&session);
    code = exit_code(&session, options, err);
    *exited = session.exited;
    if (!session.exited) {
        handle_signals(SIG_DFL);
        heel_exec_free(session.exec);
    }
    return code;
}
