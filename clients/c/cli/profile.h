/* What a profile of the configuration file adds to what the flags say. */
#ifndef HEEL_CLI_PROFILE_H
#define HEEL_CLI_PROFILE_H

#include "clients/c/cli/cli.h"

/* Fills in what the flags left open from the profile that --profile names; nothing where there is
 * none. Lists of both are put together, the profile's first. 0, or -1 and *err. */
int cli_profile_apply(struct cli_options *options, struct heel_error **err);

#endif
