/* A command in this terminal. */
#include <signal.h>

#include "base/cleanup.h"
#include "clients/c/cli/report.h"
#include "clients/c/cli/session.h"

/* For the handler, which gets nothing else. Set before it is installed. */
static struct heel_exec *ended_exec;
static volatile sig_atomic_t ended_by;

/* Runs after libheel has put the terminal back. A command whose terminal goes away ends, as it
 * would without a sandbox. */
static void on_ending(int number)
{
    ended_by = number;
    heel_exec_cancel(ended_exec);
}

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

static void handle_signals(void (*handler)(int number))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, before;

    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(ending); i++)
        if (!sigaction(ending[i], NULL, &before) && before.sa_handler != SIG_IGN)
            sigaction(ending[i], &action, NULL);
}

static int detached(const struct cli_session *options)
{
    cli_note("left %s running: heelcli attach %s %s comes back", options->process_id,
             options->target.sandbox_id, options->process_id);
    return CLI_EXIT_OK;
}

int cli_terminal_session_run(struct heel_client *client, const struct cli_session *options,
                             bool *exited, struct heel_error **err)
{
    static const struct heel_exec_events none = {HEEL_INIT(heel_exec_events)};
    const struct heel_interactive interactive = {HEEL_INIT(heel_interactive),
                                                 .detach_keys = options->detach_keys};
    enum heel_interactive_end end = HEEL_INTERACTIVE_EXITED;
    struct heel_exit_status status = {0};
    struct heel_exec *exec;
    int result;

    signal(SIGPIPE, SIG_IGN);
    if (cli_session_open(client, options, &none, NULL, &exec, err))
        return -1;
    ended_exec = exec;
    handle_signals(on_ending);
    result =
        heel_exec_interactive(exec, STDIN_FILENO, STDOUT_FILENO, &interactive, &end, &status, err);
    *exited = result == 0 && end == HEEL_INTERACTIVE_EXITED;
    if (*exited)
        return cli_session_end(options, exec, &status);
    handle_signals(SIG_DFL);
    heel_exec_free(exec);
    if (ended_by) {
        heel_error_free(err ? heel_steal(*err) : NULL);
        return 128 + ended_by;
    }
    return result ? -1 : detached(options);
}
