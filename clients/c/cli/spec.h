/* What the flags say, as libheel takes it. Both borrow from the options. */
#ifndef HEEL_CLI_SPEC_H
#define HEEL_CLI_SPEC_H

#include "clients/c/cli/cli.h"

/* The flags of cli_spec_flags and cli_create_flags, but not --env and --timeout, which run means
 * for its one command and create for all. */
struct heel_spec cli_spec(const struct cli_options *options);

/* The command at arguments[first]. */
struct heel_command cli_command(const struct cli_options *options, int first);

#endif
