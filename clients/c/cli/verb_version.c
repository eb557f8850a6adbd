#include "base/text.h"
#include "clients/c/cli/report.h"

int cli_version(const struct cli_options *options, struct heel_error **err)
{
    return cli_print(
        heel_xstrdup(options->json ? "{\"version\":\"" HEEL_VERSION "\"}" : "heel " HEEL_VERSION),
        err);
}
