/* Memory that is given back all at once: what a request is built in, and what a result points to.
 */
#ifndef HEEL_LIBHEEL_ARENA_H
#define HEEL_LIBHEEL_ARENA_H

#include <stddef.h>

/* Zero-initialised is empty. */
struct arena {
    struct arena_block *blocks; /* owned */
};

/* Zeroed and aligned for anything; never NULL, not even for 0 bytes. */
void *arena_alloc(struct arena *arena, size_t count, size_t size);

void arena_free(struct arena *arena);

static inline void arena_cleanup(struct arena *arena)
{
    arena_free(arena);
}
#define arena_auto __attribute__((cleanup(arena_cleanup)))

#endif
