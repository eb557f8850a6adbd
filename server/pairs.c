#include "server/pairs.h"

#include <stdlib.h>
#include <string.h>

#define MAX_LABELS 64
#define MAX_LABEL_KEY 128
#define MAX_LABEL_VALUE 256
#define MAX_VARIABLES 4096
#define MAX_VARIABLE_BYTES (1 << 20)

static int compare(const void *left_item, const void *right_item)
{
    const struct pair *left = left_item, *right = right_item;
    int order = strcmp(left->key, right->key);

    return order ? order : strcmp(left->value, right->value);
}

void pairs_sort(struct pairs *pairs)
{
    if (pairs->count > 1)
        qsort(pairs->items, pairs->count, sizeof *pairs->items, compare);
}

const char *pairs_find(const struct pairs *pairs, const char *key)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (strcmp(pairs->items[i].key, key) == 0)
            return pairs->items[i].value;
    }
    return NULL;
}

bool pairs_contain(const struct pairs *pairs, const struct pairs *wanted)
{
    for (size_t i = 0; i < wanted->count; i++) {
        const char *value = pairs_find(pairs, wanted->items[i].key);

        if (!value || strcmp(value, wanted->items[i].value) != 0)
            return false;
    }
    return true;
}

/* Duplicates stand beside each other once a copy is sorted. */
static int check_unique(const struct pairs *pairs, const char *field, struct heel_error **err)
{
    auto_pairs sorted = {.count = pairs->count,
                         .items = heel_xcalloc(pairs->count, sizeof *pairs->items)};

    if (pairs->count)
        memcpy(sorted.items, pairs->items, pairs->count * sizeof *pairs->items);
    pairs_sort(&sorted);
    for (size_t i = 1; i < sorted.count; i++) {
        if (strcmp(sorted.items[i - 1].key, sorted.items[i].key) == 0)
            return heel_error_set_field(err, field, "%s: the key %s is given twice", field,
                                        sorted.items[i].key);
    }
    return 0;
}

static bool is_label_key(const char *key)
{
    size_t length = strlen(key);

    return length > 0 && length <= MAX_LABEL_KEY &&
           strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") ==
               length;
}

int pairs_check_labels(const struct pairs *labels, const char *field, struct heel_error **err)
{
    if (labels->count > MAX_LABELS)
        return heel_error_set_field(err, field, "%s: %zu labels, at most %d are allowed", field,
                                    labels->count, MAX_LABELS);
    for (size_t i = 0; i < labels->count; i++) {
        if (!is_label_key(labels->items[i].key))
            return heel_error_set_field(
                err, field, "%s: a key must have 1 to %d letters, digits or any of \"._-/\"", field,
                MAX_LABEL_KEY);
        if (strlen(labels->items[i].value) > MAX_LABEL_VALUE)
            return heel_error_set_field(err, field, "%s: the value of %s is longer than %d bytes",
                                        field, labels->items[i].key, MAX_LABEL_VALUE);
    }
    return check_unique(labels, field, err);
}

int pairs_check_variables(const struct pairs *variables, const char *field, struct heel_error **err)
{
    size_t bytes = 0;

    if (variables->count > MAX_VARIABLES)
        return heel_error_set_field(err, field, "%s: %zu variables, at most %d are allowed", field,
                                    variables->count, MAX_VARIABLES);
    for (size_t i = 0; i < variables->count; i++) {
        const struct pair *variable = &variables->items[i];

        if (variable->key[0] == '\0' || strchr(variable->key, '='))
            return heel_error_set_field(
                err, field, "%s: a variable's name must not be empty or hold \"=\"", field);
        bytes += strlen(variable->key) + strlen(variable->value) + 2;
    }
    if (bytes > MAX_VARIABLE_BYTES)
        return heel_error_set_field(err, field,
                                    "%s: the variables have %zu bytes, at most %d are allowed",
                                    field, bytes, MAX_VARIABLE_BYTES);
    return check_unique(variables, field, err);
}
