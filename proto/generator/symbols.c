#include "proto/generator/symbols.h"

#include <string.h>

#include "base/text.h"
#include "proto/generator/functions.h"

struct symbol {
    char *name;        /* owned */
    const char *owner; /* borrowed from the model; what it was made for */
};

struct symbols {
    struct symbol *entries; /* owned */
    size_t count;
};

static void add(struct symbols *symbols, const char *owner, const char *stem, const char *suffix)
{
    symbols->entries =
        heel_xrealloc(symbols->entries, symbols->count + 1, sizeof(*symbols->entries));
    symbols->entries[symbols->count++] =
        (struct symbol){.name = heel_format("%s%s", stem, suffix), .owner = owner};
}

static void add_method(struct symbols *symbols, const struct model_method *method)
{
    /* Kept free for all kinds, so that a method can change its kind. */
    static const char *const suffixes[] = {"_method", "_on_reply", "_on_request", "_on_response"};
    size_t count;
    const struct function *functions = functions_of(method, &count);

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(suffixes); i++)
        add(symbols, method->path, method->name, suffixes[i]);
    for (size_t i = 0; i < count; i++)
        add(symbols, method->path, method->name, functions[i].suffix);
}

static void collect(struct symbols *symbols, const struct model_file *model)
{
    for (size_t i = 0; i < model->service_count; i++) {
        const struct model_service *service = &model->services[i];

        add(symbols, service->full_name, service->prefix, "_register");
        for (size_t j = 0; j < service->method_count; j++)
            add_method(symbols, &service->methods[j]);
    }
}

static int compare(const void *left, const void *right)
{
    const struct symbol *a = left, *b = right;
    int order = strcmp(a->name, b->name);

    return order ? order : strcmp(a->owner, b->owner);
}

int symbols_check(const struct model_file *model, char **error)
{
    struct symbols symbols = {0};
    int result = 0;

    collect(&symbols, model);
    if (symbols.count)
        qsort(symbols.entries, symbols.count, sizeof(*symbols.entries), compare);
    for (size_t i = 1; i < symbols.count && !result; i++) {
        const struct symbol *a = &symbols.entries[i - 1], *b = &symbols.entries[i];

        if (strcmp(a->name, b->name) != 0)
            continue;
        *error = heel_format("%s and %s would both need %s in C", a->owner, b->owner, a->name);
        result = -1;
    }
    for (size_t i = 0; i < symbols.count; i++)
        free(symbols.entries[i].name);
    free(symbols.entries);
    return result;
}
