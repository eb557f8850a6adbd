#include "clients/c/libheel/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/text.h"

#define BLOCK_BYTES 4000

struct arena_block {
    struct arena_block *next; /* owned */
    size_t used;
    size_t size;
    alignas(max_align_t) char bytes[];
};

static struct arena_block *add_block(struct arena *arena, size_t size)
{
    struct arena_block *block = heel_xcalloc(1, sizeof(*block) + size);

    block->size = size;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
    struct arena_block *block = arena->blocks;
    size_t bytes;
    void *memory;

    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2)
        abort();
    bytes = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (!block || block->size - block->used < bytes)
        block = add_block(arena, bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES);
    memory = block->bytes + block->used;
    block->used += bytes;
    return memory;
}

void arena_free(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *next = arena->blocks->next;

        free(arena->blocks);
        arena->blocks = next;
    }
}
