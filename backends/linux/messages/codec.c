#include "backends/linux/messages/codec.h"

#include <string.h>

/* The length of a NULL string. */
#define ABSENT UINT32_MAX

void heel_put_u32(struct heel_buffer *to, uint32_t value)
{
    heel_buffer_append(to, &value, sizeof value);
}

void heel_put_u64(struct heel_buffer *to, uint64_t value)
{
    heel_buffer_append(to, &value, sizeof value);
}

void heel_put_bytes(struct heel_buffer *to, const void *data, size_t length)
{
    if (length >= ABSENT)
        abort();
    heel_put_u32(to, (uint32_t)length);
    heel_buffer_append(to, data, length);
}

void heel_put_string(struct heel_buffer *to, const char *text)
{
    if (text)
        heel_put_bytes(to, text, strlen(text) + 1);
    else
        heel_put_u32(to, ABSENT);
}

void heel_put_strings(struct heel_buffer *to, const char *const *texts)
{
    uint32_t count = 0;

    while (texts[count])
        count++;
    heel_put_u32(to, count);
    for (uint32_t i = 0; i < count; i++)
        heel_put_string(to, texts[i]);
}

static const void *take(struct heel_reader *from, size_t length)
{
    const void *taken = from->at;

    if (from->failed || length > from->left) {
        from->failed = true;
        return NULL;
    }
    from->at += length;
    from->left -= length;
    return taken;
}

uint32_t heel_get_u32(struct heel_reader *from)
{
    uint32_t value = 0;
    const void *taken = take(from, sizeof value);

    if (taken)
        memcpy(&value, taken, sizeof value);
    return value;
}

uint64_t heel_get_u64(struct heel_reader *from)
{
    uint64_t value = 0;
    const void *taken = take(from, sizeof value);

    if (taken)
        memcpy(&value, taken, sizeof value);
    return value;
}

uint64_t heel_get_bounded(struct heel_reader *from, uint64_t maximum)
{
    uint64_t value = heel_get_u64(from);

    if (value > maximum)
        from->failed = true;
    return from->failed ? 0 : value;
}

const void *heel_get_bytes(struct heel_reader *from, size_t *length)
{
    uint32_t wanted = heel_get_u32(from);
    const void *taken = take(from, wanted);

    *length = taken ? wanted : 0;
    return taken;
}

const char *heel_get_string(struct heel_reader *from)
{
    uint32_t length = heel_get_u32(from);
    const char *taken;

    if (length == ABSENT)
        return NULL;
    taken = take(from, length);
    if (taken && (length == 0 || memchr(taken, '\0', length) != taken + length - 1)) {
        from->failed = true;
        return NULL;
    }
    return taken;
}

const char **heel_get_strings(struct heel_reader *from, size_t maximum)
{
    uint32_t count = heel_get_u32(from);
    heel_autofree const char **texts = NULL;

    /* Each string takes at least its length: a count beyond that is a lie, and would cost memory
     * before it is found out. */
    if (count > maximum || count > from->left / sizeof(uint32_t))
        from->failed = true;
    if (from->failed)
        return NULL;
    texts = heel_xcalloc(count + 1, sizeof *texts);
    for (uint32_t i = 0; i < count; i++) {
        texts[i] = heel_get_string(from);
        if (!texts[i])
            from->failed = true;
    }
    return from->failed ? NULL : heel_steal(texts);
}
