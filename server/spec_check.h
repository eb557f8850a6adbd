/* Checks what a request says of sandboxes and commands, as far as that needs no look at the host.
 */
#ifndef HEEL_SERVER_SPEC_CHECK_H
#define HEEL_SERVER_SPEC_CHECK_H

#include "base/error.h"
#include "heel/v1/sandbox.pb-c.h"

/* Ids that clients choose. 0, or -1 and *err naming `field`; an empty id is an error. */
int spec_check_id(const char *id, const char *field, struct heel_error **err);

/* Absolute, and no longer than a path may be. 0, or -1 and *err naming `field`. */
int spec_check_path(const char *path, const char *field, struct heel_error **err);

/* Checks a spec whose place in the request is `at`, as in "spec" or "start.spec". NULL is the
 * default spec and fine. */
int spec_check(const Heel__V1__SandboxSpec *spec, const char *at, struct heel_error **err);

/* Checks a command at `at`, as in "command" or "start.command". NULL is an error: a command is
 * needed. */
int spec_check_command(const Heel__V1__Command *command, const char *at, struct heel_error **err);

/* The same for RunCommand's, at "command". */
int spec_check_captured_command(const Heel__V1__Command *command, struct heel_error **err);

#endif
