/* A map<string, string> as an array of pairs. protobuf-c gives each such map an entry type of its
 * own, all of one shape: this is the one type that the rest of the server works with. */
#ifndef HEEL_SERVER_PAIRS_H
#define HEEL_SERVER_PAIRS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

struct pair {
    const char *key;   /* borrowed from the message */
    const char *value; /* borrowed from the message */
};

struct pairs {
    size_t count;
    struct pair *items; /* owned */
};

static inline void pairs_free(struct pairs *pairs)
{
    free(pairs->items);
}
#define auto_pairs __attribute__((cleanup(pairs_free))) struct pairs

/* The entries of a protobuf-c map field, in its order. */
#define PAIRS_OF(entry_count, entries) \
    __extension__({ \
        struct pairs made = {.count = (entry_count), \
                             .items = heel_xcalloc((entry_count), sizeof(struct pair))}; \
        for (size_t pair_at = 0; pair_at < made.count; pair_at++) \
            made.items[pair_at] = \
                (struct pair){(entries)[pair_at]->key, (entries)[pair_at]->value}; \
        made; \
    })

/* Replaces a map field's entries (which are freed) by copies of `pairs`; `entry_type` is its C
 * type. */
#define PAIRS_STORE(pairs, entry_type, entry_init, entry_count, entries) \
    do { \
        entry_type **stored = heel_xcalloc((pairs)->count, sizeof(entry_type *)); \
        for (size_t pair_at = 0; pair_at < (pairs)->count; pair_at++) { \
            stored[pair_at] = heel_xmalloc(sizeof(entry_type)); \
            entry_init(stored[pair_at]); \
            stored[pair_at]->key = heel_xstrdup((pairs)->items[pair_at].key); \
            stored[pair_at]->value = heel_xstrdup((pairs)->items[pair_at].value); \
        } \
        for (size_t pair_at = 0; pair_at < (entry_count); pair_at++) \
            protobuf_c_message_free_unpacked(&(entries)[pair_at]->base, NULL); \
        free(entries); \
        (entries) = stored; \
        (entry_count) = (pairs)->count; \
    } while (0)

/* By key, then value. */
void pairs_sort(struct pairs *pairs);

const char *pairs_find(const struct pairs *pairs, const char *key); /* the value, or NULL */

/* Every pair of `wanted` is in `pairs`. */
bool pairs_contain(const struct pairs *pairs, const struct pairs *wanted);

/* Labels: at most 64, keys as ids plus "/", each once, values at most 256 bytes. 0, or -1 and *err
 * naming `field`. */
int pairs_check_labels(const struct pairs *labels, const char *field, struct heel_error **err);

/* Variables: at most 4,096, together at most 1 MiB, names not empty, without "=", each once. 0, or
 * -1 and *err naming `field`. */
int pairs_check_variables(const struct pairs *variables, const char *field,
                          struct heel_error **err);

#endif
