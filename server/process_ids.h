/* Process ids within one sandbox, RunCommand's, Exec's and StartProcess's alike. */
#ifndef HEEL_SERVER_PROCESS_IDS_H
#define HEEL_SERVER_PROCESS_IDS_H

#include "base/error.h"

struct server_sandbox;

/* 0 if no command of the sandbox has or had the id, as far as is remembered; else -1 and *err:
 * ALREADY_EXISTS. */
int process_id_check_free(const struct server_sandbox *sandbox, const char *id,
                          struct heel_error **err);

#endif
