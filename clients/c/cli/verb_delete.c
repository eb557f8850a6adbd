#include "base/text.h"
#include "clients/c/cli/connect.h"
#include "clients/c/cli/report.h"

static int delete_one(struct heel_client *client, const char *id, const struct cli_options *options,
                      struct heel_error **err)
{
    struct heel_deletion *deletion;
    int result = 0;

    if (heel_sandbox_delete(client, id, options->allow_missing.on, NULL, &deletion, err))
        return -1;
    if (options->json)
        result = cli_print(heel_deletion_json(deletion, 2), err);
    else if (*deletion->kept_working_dir)
        result = cli_print(heel_format("%s", deletion->kept_working_dir), err);
    if (!options->json)
        cli_note_acting_files(&deletion->acting_files);
    heel_deletion_free(deletion);
    return result;
}

/* Goes on after one that could not be deleted: each is told of, the last by the caller. */
int cli_delete(const struct cli_options *options, struct heel_error **err)
{
    heel_autoerror struct heel_error *last = NULL;
    struct heel_client *client;

    if (cli_connect(options, CLI_NEEDS_LASTING, &client, err))
        return -1;
    for (int i = 0; i < options->argument_count; i++) {
        struct heel_error *failure = NULL;

        if (!delete_one(client, options->arguments[i], options, &failure))
            continue;
        if (last)
            cli_report(last, options->json);
        heel_error_free(last);
        last = failure;
    }
    cli_disconnect(client);
    return last ? heel_error_propagate(err, &last) : 0;
}
