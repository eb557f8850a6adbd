#include "clients/c/cli/command_session.h"

#include <unistd.h>

#include "clients/c/cli/private_server.h"
#include "clients/c/cli/session.h"
#include "clients/c/cli/spec.h"
#include "clients/c/libheel/raw_terminal.h"

/* A private server that could not be made closes its connection, and knows why. */
static int explain(struct heel_error **err)
{
    const struct heel_error *cause = private_server_error();

    return cause ? heel_error_set(err, cause->code, NULL, "%s", cause->message) : -1;
}

int cli_command_session_check_terminal(const struct cli_options *options, struct heel_error **err)
{
    if (options->json)
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                              "a terminal is for people: --output json goes with pipes only");
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        return 0;
    return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                          "standard %s is no terminal, and a command's terminal is connected to "
                          "one: leave out --terminal",
                          isatty(STDIN_FILENO) ? "output" : "input");
}

/* Where the command has ended its sandbox is gone, too, and nobody waits for gRPC to put its things
 * away. */
static int run(struct heel_client *client, const struct cli_session *session,
               struct heel_error **err)
{
    bool exited = false;
    int code = session->command->terminal ? cli_terminal_session_run(client, session, &exited, err)
                                          : cli_session_run(client, session, &exited, err);

    if (exited && code >= 0) {
        private_server_leave();
        _exit(code);
    }
    if (code < 0)
        explain(err);
    cli_disconnect(client);
    return code;
}

int cli_command_session_run(const struct cli_options *options, enum cli_need need,
                            const char *sandbox_id, const char *const *argv,
                            struct heel_error **err)
{
    const struct heel_spec spec = cli_spec(options);
    struct heel_command command = cli_command(options, argv);
    struct heel_terminal terminal = cli_terminal();
    const struct cli_session session = {
        .target = sandbox_id ? heel_in_sandbox(sandbox_id) : heel_in_new_sandbox(&spec),
        .command = &command,
        .json = options->json,
        .show_denials = cli_shows_denials(options),
    };
    struct heel_client *client;

    if (options->terminal.on && cli_command_session_check_terminal(options, err))
        return -1;
    if (options->terminal.on)
        command.terminal = &terminal;
    if (cli_connect(options, need, &client, err))
        return explain(err);
    return run(client, &session, err);
}
