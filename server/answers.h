/* The answers to commands whose id the client chose, kept so that a retry gets the same one instead
 * of a second run. Bounded in count and bytes; where the budget is exceeded the last one is kept.
 */
#ifndef HEEL_SERVER_ANSWERS_H
#define HEEL_SERVER_ANSWERS_H

#include <stddef.h>

#include "base/text.h"
#include "server/ring.h"

#define ANSWERS_MAX_COUNT 64
#define ANSWERS_MAX_BYTES (4u << 20)

struct answer {
    struct answer *next;         /* older */
    char *process_id;            /* owned */
    struct heel_buffer command;  /* canonical; empty without a response */
    struct heel_buffer response; /* packed RunCommandResponse; empty if it can't be given again */
};

/* Zero-initialised is empty. */
struct answers {
    struct answer *newest; /* owned */
    size_t count;
    struct ring_budget *budget; /* borrowed; what they take counts there; may be NULL */
};

/* Keeps one more. If that exceeds the bounds the oldest entries lose command and response, and then
 * go altogether. The buffers are taken over. */
void answers_keep(struct answers *answers, const char *process_id, struct heel_buffer *command,
                  struct heel_buffer *response);

/* NULL if there is none. Borrowed until the next answers_keep. */
const struct answer *answers_find(const struct answers *answers, const char *process_id);

void answers_clear(struct answers *answers);

#endif
