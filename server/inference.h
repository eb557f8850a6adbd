/* Which of a command's complaints the sandbox is to blame for: denials that are INFERRED from what
 * it wrote and from the sandbox's policy. */
#ifndef HEEL_SERVER_INFERENCE_H
#define HEEL_SERVER_INFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "server/denials.h"
#include "server/sandboxes.h"

typedef void inference_on_done(void *data);

#define INFERENCE_TEXT_BYTES ((size_t)65536) /* of what a command wrote last */

/* Whether there is something to be found out: then denials are added to `denials`, and on_done is
 * run, later; both must last until then. */
bool inference_start(struct server_sandbox *sandbox, const char *text, size_t length,
                     const char *working_dir, struct denials *denials, inference_on_done *on_done,
                     void *data);

#endif
