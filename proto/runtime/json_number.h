/* Numbers in JSON: exact integers, and doubles whatever the program's locale is. */
#ifndef GRPCC_JSON_NUMBER_H
#define GRPCC_JSON_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* Length of the JSON number that `text` begins with; 0 if there is none. */
size_t grpcc_json_scan_number(const char *text, size_t length);

/* Reads a text that is one JSON number as an integer: 12, 1.2e1 and 12.0 are; 1.5 is not. False too
 * where it exceeds 64 bits. */
bool grpcc_json_to_integer(const char *text, size_t length, bool *negative, uint64_t *magnitude);

/* Reads a text that is one JSON number. False where it is out of the type's range. */
bool grpcc_json_to_double(const char *text, size_t length, double *value);
bool grpcc_json_to_float(const char *text, size_t length, float *value);

/* Append the shortest number that reads back as the same value, or "NaN", "Infinity", "-Infinity"
 * with their quotes. */
void grpcc_json_print_double(double value, struct heel_buffer *to);
void grpcc_json_print_float(float value, struct heel_buffer *to);

#endif
