#include "base/text.h"
#include "clients/c/cli/connect.h"
#include "clients/c/cli/report.h"
#include "clients/c/cli/spec.h"

/* Nobody is there to read what it writes: it must not wait for that. */
static struct heel_command background_command(const struct cli_options *options)
{
    struct heel_command command = cli_command(options, cli_arguments(options, 1));

    command.process_id = options->id;
    if (!options->when_full)
        command.when_full = HEEL_WHEN_FULL_DROP_OLDEST;
    return command;
}

/* One that could not be started is told of as run tells of it. */
static int tell(const struct heel_process_info *process, const struct cli_options *options,
                struct heel_error **err)
{
    if (process->state == HEEL_PROCESS_EXITED && process->status.reason == HEEL_EXIT_START_FAILED &&
        !options->json)
        return heel_error_set(err, HEEL_FAILED_PRECONDITION, NULL, "%s", process->status.message);
    return cli_print(options->json ? heel_process_info_json(process, 2) : heel_xstrdup(process->id),
                     err);
}

int cli_start(const struct cli_options *options, struct heel_error **err)
{
    struct heel_terminal terminal = cli_terminal();
    struct heel_command command = background_command(options);
    struct heel_process_info *process;
    struct heel_client *client;
    int result;

    if (options->terminal.on)
        command.terminal = &terminal;
    if (cli_connect(options, CLI_NEEDS_LASTING, &client, err))
        return -1;
    result =
        heel_process_start(client, options->arguments[0], &command,
                           !options->interactive.on && !options->terminal.on, NULL, &process, err);
    if (!result) {
        result = tell(process, options, err);
        heel_process_info_free(process);
    }
    cli_disconnect(client);
    return result;
}
