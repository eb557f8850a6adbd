/* INFERRED denials: which of a command's error messages the sandbox caused, judged by its policy.
 */
#ifndef HEEL_SERVER_INFERENCE_H
#define HEEL_SERVER_INFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "server/command_facts.h"
#include "server/sandboxes.h"

typedef void inference_on_done(void *data);

#define INFERENCE_TEXT_BYTES ((size_t)65536) /* of what a command wrote last */

/* Whether there is something to be found out in what the command wrote: then denials are added to
 * facts->denials, and on_done is run, later; both must last until then. Never while the sandbox is
 * being deleted. */
bool inference_start(struct server_sandbox *sandbox, struct command_facts *facts, const char *text,
                     size_t length, inference_on_done *on_done, void *data);

#endif
