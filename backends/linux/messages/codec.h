/* Numbers and strings to bytes and back, between processes of one heeld. Little effort to write,
 * and impossible to read past the end: a reader that ran out stays failed and yields zeros, so that
 * a decoder checks once, at its end. Native byte order: both ends are one program. */
#ifndef HEEL_BACKENDS_LINUX_MESSAGES_CODEC_H
#define HEEL_BACKENDS_LINUX_MESSAGES_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

void heel_put_u32(struct heel_buffer *to, uint32_t value);
void heel_put_u64(struct heel_buffer *to, uint64_t value);
void heel_put_bytes(struct heel_buffer *to, const void *data, size_t length); /* length first */
void heel_put_string(struct heel_buffer *to, const char *text);               /* NULL stays NULL */
void heel_put_strings(struct heel_buffer *to, const char *const *texts); /* NULL-terminated list */

struct heel_reader {
    const uint8_t *at; /* borrowed */
    size_t left;
    bool failed;
};

static inline struct heel_reader heel_reader_of(const void *data, size_t length)
{
    return (struct heel_reader){.at = data, .left = length};
}

uint32_t heel_get_u32(struct heel_reader *from);
uint64_t heel_get_u64(struct heel_reader *from);
/* A heel_put_u64() of at most `maximum`; a larger one fails the reader. */
uint64_t heel_get_bounded(struct heel_reader *from, uint64_t maximum);

/* Borrowed from the bytes being read; NULL and 0 where they end too early. */
const void *heel_get_bytes(struct heel_reader *from, size_t *length);

/* Borrowed from the bytes being read and NUL-terminated there; NULL for a NULL, and for one that
 * holds a NUL or lacks its own (which fails the reader). */
const char *heel_get_string(struct heel_reader *from);

/* A NULL-terminated array (the caller frees the array, the strings are borrowed) of at most
 * `maximum`; NULL if failed. */
const char **heel_get_strings(struct heel_reader *from, size_t maximum);

/* Whether everything was there and nothing is left over. */
static inline bool heel_reader_done(const struct heel_reader *from)
{
    return !from->failed && from->left == 0;
}

#endif
