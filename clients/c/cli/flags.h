/* The command line after the verb. */
#ifndef HEEL_CLI_FLAGS_H
#define HEEL_CLI_FLAGS_H

#include "clients/c/cli/cli.h"

/* The tables that verbs are given. */
extern const struct cli_flag cli_start_flags[];  /* --namespaces */
extern const struct cli_flag cli_server_flags[]; /* --server, --namespaces, --autostart */
extern const struct cli_flag
    cli_private_flags[]; /* --server, for verbs that need no lasting server */
extern const struct cli_flag cli_output_flags[];  /* --output */
extern const struct cli_flag cli_session_flags[]; /* --output, --show-denials */
extern const struct cli_flag cli_denial_flags[];  /* --show-denials */
extern const struct cli_flag cli_profile_flags[]; /* --profile, --config */
extern const struct cli_flag cli_spec_flags[];    /* what a sandbox is to be */
extern const struct cli_flag cli_command_flags[]; /* of the command, or of all commands */
extern const struct cli_flag cli_limit_flags[];   /* what it may use up */
extern const struct cli_flag cli_create_flags[]; /* --id, --ttl and others of sandboxes that last */
extern const struct cli_flag cli_exec_flags[];   /* of a command in a sandbox that exists */
extern const struct cli_flag cli_policy_flags[]; /* what to tell of a policy */
extern const struct cli_flag cli_list_flags[];
extern const struct cli_flag cli_terminal_flags[];   /* --interactive, --terminal */
extern const struct cli_flag cli_background_flags[]; /* of a process that is left alone */
extern const struct cli_flag cli_ps_flags[];
extern const struct cli_flag cli_logs_flags[];
extern const struct cli_flag cli_attach_flags[];
extern const struct cli_flag cli_kill_flags[];
extern const struct cli_flag cli_events_flags[];
extern const struct cli_flag cli_delete_flags[];
extern const struct cli_flag cli_help_flags[];
extern const struct cli_flag cli_config_flags[];

/* The letter that is short for a flag, as in "-i"; 0 where there is none. */
char cli_flag_letter(const struct cli_flag *flag);

/* What may stand between the dashes and the name of a flag, as help shows it: "[no-]" where it
 * takes no value, else "". */
const char *cli_flag_negation(const struct cli_flag *flag);

/* Reads `arguments` (NULL-terminated) into `options`. Flags end at the first argument that is none,
 * or at "--". 0, or -1 and *err, a sentence that names the flag and, where there is one, the
 * nearest that exists. */
int cli_flags_parse(const struct cli_verb *verb, char **arguments, struct cli_options *options,
                    struct heel_error **err);

/* A path as the server can understand it, which doesn't know where this program stands; links stay
 * as they are. The caller frees it. */
char *cli_absolute(const char *path);

/* Frees what the options own. */
void cli_options_clear(struct cli_options *options);

/* Each flag of a verb in turn: starts with *group and *index 0; NULL at the end. */
const struct cli_flag *cli_flags_next(const struct cli_verb *verb, size_t *group, size_t *index);

#endif
