/* Reads JSON (RFC 8259) value by value, strictly, and says where it is wrong. */
#ifndef GRPCC_JSON_READER_H
#define GRPCC_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "proto/runtime/status.h"

#define GRPCC_JSON_MAX_DEPTH 64

enum grpcc_json_kind {
    GRPCC_JSON_IS_BROKEN, /* no value begins here */
    GRPCC_JSON_IS_NULL,
    GRPCC_JSON_IS_BOOL,
    GRPCC_JSON_IS_NUMBER,
    GRPCC_JSON_IS_STRING,
    GRPCC_JSON_IS_ARRAY,
    GRPCC_JSON_IS_OBJECT,
};

struct grpcc_json_reader {
    const char *text, *at, *end; /* borrowed */
    const char *token; /* where the value that was looked at last begins; failures point there */
    unsigned depth;
    struct heel_buffer string;   /* the string that was read last, decoded; NUL is allowed in it */
    struct heel_buffer path;     /* of the field that is being read; kept by the caller */
    struct grpcc_status *status; /* of the first failure */
};

void grpcc_json_reader_init(struct grpcc_json_reader *reader, const char *text, size_t length);
void grpcc_json_reader_clear(struct grpcc_json_reader *reader); /* frees what it owns */

/* Notes a failure at the current token: INVALID_ARGUMENT, with line, column and path. Returns -1.
 */
int grpcc_json_fail(struct grpcc_json_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What the next value is. Takes nothing but white space. */
enum grpcc_json_kind grpcc_json_peek(struct grpcc_json_reader *reader);

/* Take the next value: 0, or -1 with reader->status where it is of another kind or malformed. A
 * number is borrowed from the text. */
int grpcc_json_read_null(struct grpcc_json_reader *reader);
int grpcc_json_read_bool(struct grpcc_json_reader *reader, bool *value);
int grpcc_json_read_number(struct grpcc_json_reader *reader, const char **number, size_t *length);
int grpcc_json_read_string(struct grpcc_json_reader *reader);

/* For an array ("[]") or object ("{}"): begin, then next until it isn't 1; after each 1 take one
 * value (of an object: one key, then one value). `first` is the caller's, and set by begin. next
 * returns 0 when the bracket was closed, -1 on failure. */
int grpcc_json_begin(struct grpcc_json_reader *reader, const char *brackets, bool *first);
int grpcc_json_next(struct grpcc_json_reader *reader, const char *brackets, bool *first);
int grpcc_json_read_key(struct grpcc_json_reader *reader); /* into reader->string */

/* Only white space may be left. */
int grpcc_json_end(struct grpcc_json_reader *reader);

#endif
