/* The manual page, made from the tables. */
#ifndef HEEL_CLI_MANUAL_H
#define HEEL_CLI_MANUAL_H

/* heelcli(1) in man's language; the caller frees it. */
char *cli_manual(void);

#endif
