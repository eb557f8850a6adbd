/* Specs and commands, which spec_check.h has checked: with every default spelled out, in a
 * canonical form to recognise a retry by, and as the backend takes them. */
#ifndef HEEL_SERVER_SPEC_H
#define HEEL_SERVER_SPEC_H

#include <stdint.h>

#include "backends/backend.h"
#include "base/error.h"
#include "base/text.h"
#include "heel/v1/sandbox.pb-c.h"

/* A new spec with every default spelled out, variables aside: they depend on the sandbox's paths.
 * `spec` was checked. */
Heel__V1__SandboxSpec *spec_new_effective(const Heel__V1__SandboxSpec *spec,
                                          Heel__V1__IsolationLevel default_level);

/* New messages with the same content. */
Heel__V1__SandboxSpec *spec_copy(const Heel__V1__SandboxSpec *spec);
Heel__V1__Command *spec_copy_command(const Heel__V1__Command *command);

/* Appends bytes that are the same for the same content, in whatever order its maps came. NULL
 * appends nothing. */
void spec_append_canonical(const Heel__V1__SandboxSpec *spec, struct heel_buffer *to);
void spec_append_canonical_command(const Heel__V1__Command *command, struct heel_buffer *to);

/* The arrays of a backend's spec; what they point to belongs to the message. */
struct spec_lists {
    struct heel_path_rule *paths;            /* owned */
    struct heel_protection_switch *switches; /* owned */
};
void spec_lists_clear(struct spec_lists *lists);
#define auto_spec_lists __attribute__((cleanup(spec_lists_clear))) struct spec_lists

/* The backend's view of an effective spec, id and caller aside. It borrows from `spec` and fills
 * `lists`, which are to be cleared after it was used. */
struct heel_sandbox_spec spec_for_backend(const Heel__V1__SandboxSpec *spec,
                                          struct spec_lists *lists);

/* One of enum heel_access. */
unsigned spec_backend_access(Heel__V1__PathAccess access);

/* Of a duration that was checked; 0 for none. */
int64_t spec_duration_ms(const Google__Protobuf__Duration *duration);

#endif
