/* A command whose standard input, output and error are heelcli's own, and so are its signals and
 * its exit code. */
#ifndef HEEL_CLI_SESSION_H
#define HEEL_CLI_SESSION_H

#include "clients/c/cli/cli.h"

/* What a session connects to, and how it tells what happened. */
struct cli_session {
    struct heel_target target;
    const struct heel_command *command; /* to be started; NULL: the process below */
    const char *process_id;             /* one that target.sandbox_id has */
    struct heel_attach attach;          /* to that; in text heelcli says what is kept no more */
    /* only reads: gives no input, passes no signals on, and ends well however the command did */
    bool watches;
    /* with `watches`: ends where the process's output ended then; NULL: with the process */
    const struct heel_process_info *as_of;
    const char *detach_keys; /* of a terminal; NULL: none */
    bool json;               /* standard output gets one ExecResponse a line instead */
    bool show_denials;       /* a note for each */
};

/* Whether denials are to be shown: what the flag says, else whether people read standard error. */
bool cli_shows_denials(const struct cli_options *options);

/* Runs it to its end. The exit code for heelcli, or -1 and *err. *exited tells whether the
 * server said how the command ended: then nothing of it is left, and the process can end without
 * closing anything. */
int cli_session_run(struct heel_client *client, const struct cli_session *options, bool *exited,
                    struct heel_error **err);

/* The same with this terminal as the command's. Detaching is no end: the exit code is 0. */
int cli_terminal_session_run(struct heel_client *client, const struct cli_session *options,
                             bool *exited, struct heel_error **err);

/* Opens what `options` says. 0 and *exec, or -1 and *err. */
int cli_session_open(struct heel_client *client, const struct cli_session *options,
                     const struct heel_exec_events *events, void *data, struct heel_exec **exec,
                     struct heel_error **err);

/* Says what is to be said of a command that is over, and gives the exit code. */
int cli_session_end(const struct cli_session *options, const struct heel_exec *exec,
                    const struct heel_exit_status *status);

#endif
