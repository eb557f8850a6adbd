/* Base64 (RFC 4648). */
#ifndef GRPCC_JSON_BASE64_H
#define GRPCC_JSON_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* Appends the standard alphabet, padded. */
void grpcc_base64_encode(const uint8_t *data, size_t length, struct heel_buffer *to);

/* Appends the bytes. Takes the standard and the URL-safe alphabet, padded or not; false where the
 * text is neither. */
bool grpcc_base64_decode(const char *text, size_t length, struct heel_buffer *to);

#endif
