/* Strings and buffers that can't fail: out of memory aborts, as it would in any process that
 * overcommits. */
#ifndef HEEL_BASE_TEXT_H
#define HEEL_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* malloc and friends that abort instead of returning NULL. The caller owns the result. */
void *heel_xmalloc(size_t size);
void *heel_xcalloc(size_t count, size_t size);
void *heel_xrealloc(void *memory, size_t count, size_t size); /* aborts if count * size overflows */
char *heel_xstrdup(const char *text);                         /* NULL gives NULL */

/* printf into new memory, which the caller owns. */
char *heel_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *heel_vformat(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

/* A growable run of bytes; zero-initialised is empty. `data` is always NUL-terminated once anything
 * was appended. */
struct heel_buffer {
    char *data;      /* owned */
    size_t length;   /* bytes in use, without the NUL */
    size_t capacity; /* bytes allocated */
};

void heel_buffer_append(struct heel_buffer *buffer, const void *data, size_t length);
void heel_buffer_append_text(struct heel_buffer *buffer, const char *text);
void heel_buffer_printf(struct heel_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for at least `length` more bytes; returns where they begin. Add what was written to
 * buffer->length. */
char *heel_buffer_reserve(struct heel_buffer *buffer, size_t length);

bool heel_buffer_equal(const struct heel_buffer *left, const struct heel_buffer *right);

/* Empties it; the struct itself is the caller's. */
void heel_buffer_free(struct heel_buffer *buffer);
static inline void heel_cleanup_buffer(struct heel_buffer *buffer)
{
    heel_buffer_free(buffer);
}
#define heel_autobuffer __attribute__((cleanup(heel_cleanup_buffer)))

/* Appends `length` bytes of outside text so that it can stand in a log line, or on a terminal,
 * inside double quotes: printable ASCII and well-formed UTF-8 above U+009F as they are; quote,
 * backslash, control bytes, marks that turn the direction of text around, and anything else as \",
 * \\, \n, \t, \r or \xNN. */
void heel_buffer_append_escaped(struct heel_buffer *buffer, const char *data, size_t length);

/* Whether `length` bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most
 * U+10FFFF). */
bool heel_utf8_valid(const char *data, size_t length);

/* Length in bytes of the well-formed UTF-8 sequence at the start of `data`; 0 if there is none. */
size_t heel_utf8_sequence(const char *data, size_t length);

bool heel_starts_with(const char *text, const char *prefix);

#endif
