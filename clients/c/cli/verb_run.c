/* run and exec: the two that are a command. */
#include <string.h>
#include <unistd.h>

#include "clients/c/cli/connect.h"
#include "clients/c/cli/private_server.h"
#include "clients/c/cli/session.h"
#include "clients/c/cli/spec.h"

/* A private server that could not be made closes its connection, and knows why. */
static int explain(struct heel_error **err)
{
    const struct heel_error *cause = private_server_error();

    if (!cause || !err)
        return -1;
    heel_error_free(*err);
    return heel_error_set(err, cause->code, NULL, "%s", cause->message);
}

/* Where exec's command begins: behind the sandbox, and behind a "--" if there is one. */
static int after_sandbox(const struct cli_options *options)
{
    return strcmp(options->arguments[1], "--") == 0 && options->arguments[2] ? 2 : 1;
}

/* Where the command has ended its sandbox is gone, too, and nobody waits for gRPC to put its things
 * away. */
static int run_in(const struct cli_options *options, enum cli_need need, const char *sandbox_id,
                  struct heel_error **err)
{
    const struct heel_spec spec = cli_spec(options);
    const struct heel_command command =
        cli_command(options, sandbox_id ? after_sandbox(options) : 0);
    const struct cli_session_options session = {
        .json = options->json, .show_denials = options->show_denials || isatty(STDERR_FILENO)};
    struct heel_client *client;
    bool exited = false;
    int code;

    if (cli_connect(options, need, &client, err))
        return explain(err);
    code = cli_session_run(client,
                           sandbox_id ? heel_in_sandbox(sandbox_id) : heel_in_new_sandbox(&spec),
                           &command, &session, &exited, err);
    if (exited && code >= 0) {
        private_server_leave();
        _exit(code);
    }
    if (code < 0)
        explain(err);
    cli_disconnect(client);
    return code;
}

int cli_run(const struct cli_options *options, struct heel_error **err)
{
    return run_in(options, CLI_NEEDS_BRIEF, NULL, err);
}

int cli_exec(const struct cli_options *options, struct heel_error **err)
{
    return run_in(options, CLI_NEEDS_LASTING, options->arguments[0], err);
}
