/* The variables of a command: heel's own, those of the sandbox's spec, those of the command; the
 * later win. */
#ifndef HEEL_SERVER_ENVIRONMENT_H
#define HEEL_SERVER_ENVIRONMENT_H

#include "backends/backend.h"
#include "heel/v1/sandbox.pb-c.h"

/* Spells out heel's own variables in an effective spec, once the sandbox's paths are known. */
void environment_complete(Heel__V1__SandboxSpec *effective, const struct heel_sandbox_paths *paths);

/* "NAME=value" for each, NULL-terminated; free with environment_free. */
char **environment_of_command(const Heel__V1__SandboxSpec *effective,
                              const Heel__V1__Command *command, const char *terminal_type);
void environment_free(char **environment);

#endif
