/* What the flags say, as libheel takes it. Both borrow from the options. */
#ifndef HEEL_CLI_SPEC_H
#define HEEL_CLI_SPEC_H

#include "clients/c/cli/cli.h"

/* The flags of cli_spec_flags, cli_limit_flags and cli_create_flags, but not --env and --timeout,
 * which run means for its one command and create for all. */
struct heel_spec cli_spec(const struct cli_options *options);

/* The arguments from the one at `first` on, and behind a "--" if there is one; NULL-terminated. */
const char *const *cli_arguments(const struct cli_options *options, int first);

/* A command of these arguments, and of the flags. */
struct heel_command cli_command(const struct cli_options *options, const char *const *argv);

/* A terminal like this one. */
struct heel_terminal cli_terminal(void);

#endif
