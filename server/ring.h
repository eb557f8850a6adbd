/* The last bytes that a command wrote to one of its outputs, found by their offset in it. Memory
 * grows with what is kept, as far as a budget that all rings share has room. */
#ifndef HEEL_SERVER_RING_H
#define HEEL_SERVER_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_PIECE ((size_t)65536) /* what is appended at once, at most */

/* Memory for what is kept of the output of one caller's commands, or of all, in bytes. */
struct ring_budget {
    struct ring_budget *parent; /* borrowed; of all, or NULL */
    size_t used;
    size_t maximum; /* beyond it a ring grows to 128 KiB all the same, and no further */
};

struct ring {
    char *bytes;                /* owned; offset o lies at o % size */
    size_t size;                /* of `bytes` */
    size_t capacity;            /* the most that is kept */
    uint64_t first;             /* offset of the oldest byte that is kept */
    uint64_t end;               /* offset after the newest */
    struct ring_budget *budget; /* borrowed */
};

void ring_init(struct ring *ring, size_t capacity, struct ring_budget *budget);
void ring_free(struct ring *ring);

/* What took `before` bytes takes `after`. NULL is fine, also below. */
void ring_budget_charge(struct ring_budget *budget, size_t before, size_t after);

/* Whether more is used than there should be. */
bool ring_budget_is_exceeded(const struct ring_budget *budget);

/* Room after the newest byte, in one piece: where, and *length, 1 to RING_PIECE. NULL if those from
 * offset `keep` on take up all that there is. Older ones may have gone for it. */
char *ring_reserve(struct ring *ring, uint64_t keep, size_t *length);

/* `length` bytes were written to what ring_reserve gave. */
void ring_commit(struct ring *ring, size_t length);

/* The bytes from `offset` on (first to end) that lie in one piece: where, and *length, 0 at the
 * end. Valid until the next ring_reserve. */
const char *ring_at(const struct ring *ring, uint64_t offset, size_t *length);

/* Nothing will be appended any more: gives back memory that is not needed. */
void ring_settle(struct ring *ring);

#endif
