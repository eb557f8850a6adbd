#include "base/text.h"
#include "clients/c/cli/manual.h"
#include "clients/c/cli/nearest.h"
#include "clients/c/cli/report.h"

int cli_help(const struct cli_options *options, struct heel_error **err)
{
    const struct cli_verb *verb = NULL;
    const char *name = options->arguments[0], *best = NULL;

    if (options->manual.on)
        return cli_print(cli_manual(), err);
    if (name) {
        verb = cli_verb_find(name);
        if (!verb) {
            for (verb = cli_verbs; verb->name; verb++)
                cli_nearest(name, verb->name, &best);
            return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL, "there is no verb \"%s\"%s%s%s",
                                  name, best ? "; did you mean " : ": see heelcli help",
                                  best ? best : "", best ? "?" : "");
        }
    }
    return cli_print(cli_help_text(verb), err);
}
