#include "server/ring.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define FIRST_SIZE ((size_t)4096)
#define SURE_SIZE ((size_t)131072) /* what a ring may have however little the budget has left */

void ring_init(struct ring *ring, size_t capacity, struct ring_budget *budget)
{
    *ring = (struct ring){.capacity = capacity, .budget = budget};
}

void ring_budget_charge(struct ring_budget *budget, size_t before, size_t after)
{
    for (; budget; budget = budget->parent)
        budget->used = budget->used - before + after;
}

static bool has_room(const struct ring_budget *budget, size_t before, size_t after)
{
    while (budget && budget->used - before + after <= budget->maximum)
        budget = budget->parent;
    return !budget;
}

bool ring_budget_is_exceeded(const struct ring_budget *budget)
{
    return !has_room(budget, 0, 0);
}

void ring_free(struct ring *ring)
{
    ring_budget_charge(ring->budget, ring->size, 0);
    free(ring->bytes);
    *ring = (struct ring){0};
}

static size_t smaller(size_t left, size_t right)
{
    return left < right ? left : right;
}

static size_t kept(const struct ring *ring)
{
    return smaller((size_t)(ring->end - ring->first), ring->capacity);
}

/* Copies what is kept to where it lies in memory of another size. */
static void move_to(struct ring *ring, size_t size)
{
    char *bytes = size > 0 ? heel_xmalloc(size) : NULL;

    for (uint64_t offset = ring->first; offset < ring->end;) {
        size_t length;
        const char *piece = ring_at(ring, offset, &length);

        length = smaller(length, size - (size_t)(offset % size));
        memcpy(bytes + offset % size, piece, length);
        offset += length;
    }
    free(ring->bytes);
    ring_budget_charge(ring->budget, ring->size, size);
    ring->bytes = bytes;
    ring->size = size;
}

/* Doubles the memory, so that growing costs little; at the end there is room for one piece more
 * than is kept, so that old bytes are dropped only when new ones have come. */
static void grow(struct ring *ring)
{
    size_t most = ring->capacity + RING_PIECE;
    size_t size = smaller(ring->size > 0 ? 2 * ring->size : FIRST_SIZE, most);
    bool full = ring->size - kept(ring) <= ring->size / 2;

    if (full && size > ring->size &&
        (size <= SURE_SIZE || has_room(ring->budget, ring->size, size)))
        move_to(ring, size);
}

char *ring_reserve(struct ring *ring, uint64_t keep, size_t *length)
{
    size_t held = (size_t)(ring->end - (keep > ring->first ? keep : ring->first));
    size_t at, free_bytes;

    grow(ring);
    if (held >= smaller(ring->capacity, ring->size))
        return NULL;
    at = (size_t)(ring->end % ring->size);
    free_bytes = ring->size - smaller(kept(ring), ring->size);
    *length = smaller(RING_PIECE, ring->size - at);
    *length = smaller(*length, free_bytes > 0 ? free_bytes : ring->size - held);
    *length = smaller(*length, ring->capacity - held);
    if (ring->end + *length - ring->first > ring->size)
        ring->first = ring->end + *length - ring->size;
    return ring->bytes + at;
}

void ring_commit(struct ring *ring, size_t length)
{
    ring->end += length;
    if (ring->end - ring->first > ring->capacity)
        ring->first = ring->end - ring->capacity;
}

const char *ring_at(const struct ring *ring, uint64_t offset, size_t *length)
{
    size_t at;

    *length = 0;
    if (offset >= ring->end)
        return NULL;
    at = (size_t)(offset % ring->size);
    *length = smaller((size_t)(ring->end - offset), ring->size - at);
    return ring->bytes + at;
}

void ring_settle(struct ring *ring)
{
    size_t size = (size_t)(ring->end - ring->first);

    if (size < ring->size)
        move_to(ring, size);
}
