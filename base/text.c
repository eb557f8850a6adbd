#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void *or_abort(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

void *heel_xmalloc(size_t size)
{
    return or_abort(malloc(size ? size : 1));
}

void *heel_xcalloc(size_t count, size_t size)
{
    return or_abort(calloc(count ? count : 1, size ? size : 1));
}

void *heel_xrealloc(void *memory, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        abort();
    return or_abort(realloc(memory, bytes ? bytes : 1));
}

char *heel_xstrdup(const char *text)
{
    return text ? or_abort(strdup(text)) : NULL;
}

char *heel_vformat(const char *format, va_list arguments)
{
    char *text = NULL;

    if (vasprintf(&text, format, arguments) < 0)
        abort();
    return text;
}

char *heel_format(const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = heel_vformat(format, arguments);
    va_end(arguments);
    return text;
}

char *heel_buffer_reserve(struct heel_buffer *buffer, size_t length)
{
    size_t needed;

    if (__builtin_add_overflow(buffer->length, length, &needed) ||
        __builtin_add_overflow(needed, (size_t)1, &needed))
        abort();
    if (needed > buffer->capacity) {
        size_t doubled = buffer->capacity < SIZE_MAX / 2 ? buffer->capacity * 2 : SIZE_MAX;

        buffer->capacity = needed > doubled ? needed : doubled;
        if (buffer->capacity < 64)
            buffer->capacity = 64;
        buffer->data = heel_xrealloc(buffer->data, buffer->capacity, 1);
    }
    return buffer->data + buffer->length;
}

void heel_buffer_append(struct heel_buffer *buffer, const void *data, size_t length)
{
    char *to = heel_buffer_reserve(buffer, length);

    if (length)
        memcpy(to, data, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
}

void heel_buffer_append_text(struct heel_buffer *buffer, const char *text)
{
    heel_buffer_append(buffer, text, strlen(text));
}

void heel_buffer_printf(struct heel_buffer *buffer, const char *format, ...)
{
    heel_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = heel_vformat(format, arguments);
    va_end(arguments);
    heel_buffer_append_text(buffer, text);
}

bool heel_buffer_equal(const struct heel_buffer *left, const struct heel_buffer *right)
{
    return left->length == right->length &&
           (left->length == 0 || memcmp(left->data, right->data, left->length) == 0);
}

void heel_buffer_free(struct heel_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct heel_buffer){0};
}

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

size_t heel_utf8_sequence(const char *data, size_t length)
{
    const unsigned char *at = (const unsigned char *)data;

    if (length >= 1 && at[0] < 0x80)
        return 1;
    if (length >= 2 && at[0] >= 0xc2 && at[0] <= 0xdf && is_continuation(at[1]))
        return 2;
    if (length >= 3 && (at[0] & 0xf0) == 0xe0 && is_continuation(at[1]) && is_continuation(at[2])) {
        bool overlong = at[0] == 0xe0 && at[1] < 0xa0;
        bool surrogate = at[0] == 0xed && at[1] >= 0xa0;

        return overlong || surrogate ? 0 : 3;
    }
    if (length >= 4 && at[0] >= 0xf0 && at[0] <= 0xf4 && is_continuation(at[1]) &&
        is_continuation(at[2]) && is_continuation(at[3])) {
        bool overlong = at[0] == 0xf0 && at[1] < 0x90;
        bool beyond = at[0] == 0xf4 && at[1] >= 0x90;

        return overlong || beyond ? 0 : 4;
    }
    return 0;
}

bool heel_utf8_valid(const char *data, size_t length)
{
    while (length > 0) {
        size_t sequence = heel_utf8_sequence(data, length);

        if (sequence == 0)
            return false;
        data += sequence;
        length -= sequence;
    }
    return true;
}

static const char *short_escape(char byte)
{
    switch (byte) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\t':
        return "\\t";
    case '\r':
        return "\\r";
    default:
        return NULL;
    }
}

/* Marks that turn the order of what follows around, and ends of lines: with them a name looks like
 * another, or like two messages. */
static bool reorders(const unsigned char *at, size_t sequence)
{
    unsigned point = sequence == 3 ? (at[0] & 0x0fU) << 12 | (at[1] & 0x3fU) << 6 | (at[2] & 0x3fU)
                     : sequence == 2 ? (at[0] & 0x1fU) << 6 | (at[1] & 0x3fU)
                                     : 0;

    return point == 0x61c || point == 0x200e || point == 0x200f ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

void heel_buffer_append_escaped(struct heel_buffer *buffer, const char *data, size_t length)
{
    while (length > 0) {
        size_t sequence = heel_utf8_sequence(data, length);
        unsigned char first = (unsigned char)data[0];
        /* U+0080 to U+009F are C1 controls, which terminals obey: they start with 0xc2. */
        bool control = first < 0x20 || first == 0x7f ||
                       (sequence == 2 && first == 0xc2 && (unsigned char)data[1] < 0xa0) ||
                       reorders((const unsigned char *)data, sequence);
        const char *escape = short_escape(data[0]);

        if (escape) {
            heel_buffer_append_text(buffer, escape);
            sequence = 1;
        } else if (sequence == 0 || control) {
            heel_buffer_printf(buffer, "\\x%02x", first);
            sequence = 1;
        } else {
            heel_buffer_append(buffer, data, sequence);
        }
        data += sequence;
        length -= sequence;
    }
}

bool heel_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}
