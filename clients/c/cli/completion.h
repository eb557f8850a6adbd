/* What a shell needs to complete heelcli's command lines, made from the tables. */
#ifndef HEEL_CLI_COMPLETION_H
#define HEEL_CLI_COMPLETION_H

/* A script for "bash", "zsh" or "fish"; the caller frees it. NULL for another shell. */
char *cli_completion(const char *shell);

#endif
