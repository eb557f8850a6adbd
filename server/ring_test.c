#include "server/ring.h"

#include "base/test.h"
#include "base/text.h"

static struct ring_budget plenty = {.maximum = SIZE_MAX};

static char letter(uint64_t offset)
{
    return (char)('a' + offset * 7 % 26);
}

/* Appends up to `count` bytes whose values tell their offset; returns how many there was room for.
 */
static size_t append(struct ring *ring, uint64_t keep, size_t count)
{
    size_t done = 0, length;

    while (done < count) {
        char *room = ring_reserve(ring, keep, &length);

        if (!room)
            break;
        CHECK(length >= 1 && length <= RING_PIECE);
        length = length < count - done ? length : count - done;
        for (size_t i = 0; i < length; i++)
            room[i] = letter(ring->end + i);
        ring_commit(ring, length);
        done += length;
    }
    return done;
}

static void check_content(const struct ring *ring)
{
    uint64_t offset = ring->first;
    size_t length, wrong = 0;

    for (const char *piece; (piece = ring_at(ring, offset, &length)); offset += length)
        for (size_t i = 0; i < length; i++)
            wrong += piece[i] != letter(offset + i);
    CHECK_INT(wrong, 0);
    CHECK_INT(offset, ring->end);
}

static void test_keeps_the_last(void)
{
    struct ring ring;

    ring_init(&ring, 100000, &plenty);
    for (uint64_t total = 0; total < 1000000; total += 777) {
        CHECK_INT(append(&ring, ring.end, 777), 777);
        CHECK_INT(ring.end - ring.first, ring.end < 100000 ? ring.end : 100000);
        check_content(&ring);
    }
    ring_free(&ring);
}

static void test_full(void)
{
    struct ring ring;

    ring_init(&ring, 5000, &plenty);
    CHECK_INT(append(&ring, 0, 6000), 5000);
    CHECK_INT(ring.first, 0);
    CHECK_INT(append(&ring, 4000, 6000), 4000);
    CHECK_INT(ring.first, 4000);
    CHECK_INT(ring.end, 9000);
    check_content(&ring);
    ring_free(&ring);
}

/* Nothing costs memory before it is there. */
static void test_memory(void)
{
    struct ring_budget budget = {.maximum = SIZE_MAX};
    struct ring ring;

    ring_init(&ring, 1 << 20, &budget);
    CHECK_INT(budget.used, 0);
    append(&ring, 0, 100);
    CHECK_INT(budget.used, 4096);
    append(&ring, 0, 2 << 20);
    CHECK_INT(budget.used, (1 << 20) + RING_PIECE);
    ring_settle(&ring);
    CHECK_INT(budget.used, 1 << 20);
    check_content(&ring);
    ring_free(&ring);
    CHECK_INT(budget.used, 0);
}

static void test_budget(void)
{
    struct ring_budget budget = {.maximum = 200000};
    struct ring ring, other;

    ring_init(&ring, 1 << 20, &budget);
    CHECK_INT(append(&ring, 0, 1 << 20), 131072);
    ring_init(&other, 1 << 20, &budget);
    CHECK_INT(append(&other, 0, 1 << 20), 131072); /* however little is left */
    for (int i = 0; i < 300; i++)
        CHECK_INT(append(&ring, ring.end, 1000), 1000);
    check_content(&ring);
    ring_free(&other);
    ring_free(&ring);
    CHECK_INT(budget.used, 0);
}

static void test_settled_and_empty(void)
{
    struct ring ring;
    size_t length;

    ring_init(&ring, 4096, &plenty);
    ring_settle(&ring);
    CHECK(!ring_at(&ring, 0, &length));
    CHECK_INT(length, 0);
    append(&ring, 0, 10);
    ring_settle(&ring);
    CHECK_INT(ring.size, 10);
    check_content(&ring);
    ring_free(&ring);
}

/* What one caller has used up is no loss to another; what all have is. */
static void test_budget_of_a_caller(void)
{
    struct ring_budget all = {.maximum = 3 << 20};
    struct ring_budget mine = {.parent = &all, .maximum = 1 << 20};
    struct ring_budget yours = {.parent = &all, .maximum = 8 << 20};
    struct ring first, second;

    ring_init(&first, 2 << 20, &mine);
    ring_init(&second, 4 << 20, &yours);
    append(&first, 0, 2 << 20);
    CHECK(first.size <= 1 << 20);
    append(&second, 0, 4 << 20);
    CHECK(second.size > 1 << 20 && second.size <= 3 << 20);
    CHECK_INT(all.used, mine.used + yours.used);
    CHECK(!ring_budget_is_exceeded(&mine));
    ring_budget_charge(&mine, 0, 3 << 20);
    CHECK(ring_budget_is_exceeded(&mine) && ring_budget_is_exceeded(&yours));
    ring_budget_charge(&mine, 3 << 20, 0);
    ring_free(&first);
    ring_free(&second);
    CHECK_INT(all.used, 0);
}

int main(void)
{
    test_keeps_the_last();
    test_full();
    test_memory();
    test_budget();
    test_budget_of_a_caller();
    test_settled_and_empty();
    return heel_test_end();
}
