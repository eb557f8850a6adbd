#include "clients/c/cli/completion.h"
#include "clients/c/cli/report.h"

int cli_complete(const struct cli_options *options, struct heel_error **err)
{
    char *script = cli_completion(options->arguments[0]);

    if (!script)
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                              "there is no completion for \"%s\": give bash, zsh or fish",
                              options->arguments[0]);
    return cli_print(script, err);
}
