#include "server/denials.h"

#include <string.h>

#include "base/text.h"

static Heel__V1__DenialKind kind_of(enum heel_denial_kind kind)
{
    return kind == HEEL_DENIAL_OBSERVED ? HEEL__V1__DENIAL_KIND__DENIAL_KIND_OBSERVED
                                        : HEEL__V1__DENIAL_KIND__DENIAL_KIND_INFERRED;
}

static char *copy(const char *text)
{
    return heel_xstrdup(text ? text : "");
}

Heel__V1__Denial *denials_new_message(const struct heel_denial *denial)
{
    Heel__V1__Denial *message = heel_xmalloc(sizeof *message);

    heel__v1__denial__init(message);
    message->kind = kind_of(denial->kind);
    message->pid = denial->pid > 0 ? (uint32_t)denial->pid : 0;
    message->program = copy(denial->program);
    message->target = copy(denial->target);
    message->right = copy(denial->right);
    message->rule = copy(denial->rule);
    message->remedy = copy(denial->remedy);
    return message;
}

/* Making and removing is seen as writing to the directory. */
static bool is_entry_of(const char *path, const char *directory)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;

    if (strcmp(directory, "/") == 0)
        return slash == path;
    return slash && strlen(directory) == length && strncmp(path, directory, length) == 0;
}

/* An INFERRED denial of a path for which there is an OBSERVED one says nothing new: which right was
 * refused is known there. */
static bool explains(const Heel__V1__Denial *kept, const struct heel_denial *denial)
{
    return kept->kind == HEEL__V1__DENIAL_KIND__DENIAL_KIND_OBSERVED &&
           denial->kind == HEEL_DENIAL_INFERRED &&
           (strcmp(kept->target, denial->target) == 0 ||
            (strcmp(kept->right, "write") == 0 && is_entry_of(denial->target, kept->target)));
}

/* A program that tries again and again says nothing new, whatever its pid. */
static bool is_same(const Heel__V1__Denial *kept, const struct heel_denial *denial)
{
    return strcmp(kept->target, denial->target) == 0 && strcmp(kept->right, denial->right) == 0 &&
           (denial->kind == HEEL_DENIAL_INFERRED || strcmp(kept->program, denial->program) == 0);
}

void denials_add(struct denials *denials, const struct heel_denial *denial)
{
    for (size_t i = 0; i < denials->count; i++)
        if (is_same(denials->items[i], denial) || explains(denials->items[i], denial))
            return;
    if (denials->count == DENIALS_MAX) {
        denials->truncated = true;
        return;
    }
    if (!denials->items)
        denials->items = heel_xcalloc(DENIALS_MAX, sizeof(Heel__V1__Denial *));
    denials->items[denials->count++] = denials_new_message(denial);
}

void denials_clear(struct denials *denials)
{
    for (size_t i = 0; i < denials->count; i++)
        heel__v1__denial__free_unpacked(denials->items[i], NULL);
    free(denials->items);
    *denials = (struct denials){0};
}

static Heel__V1__Denial *copy_message(const Heel__V1__Denial *kept)
{
    Heel__V1__Denial *message = heel_xmalloc(sizeof *message);

    *message = *kept;
    message->program = heel_xstrdup(kept->program);
    message->target = heel_xstrdup(kept->target);
    message->right = heel_xstrdup(kept->right);
    message->rule = heel_xstrdup(kept->rule);
    message->remedy = heel_xstrdup(kept->remedy);
    return message;
}

Heel__V1__Denial **denials_describe(const struct denials *denials)
{
    Heel__V1__Denial **messages;

    if (denials->count == 0)
        return NULL;
    messages = heel_xcalloc(denials->count, sizeof(Heel__V1__Denial *));
    for (size_t i = 0; i < denials->count; i++)
        messages[i] = copy_message(denials->items[i]);
    return messages;
}
