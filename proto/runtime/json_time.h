/* Durations and timestamps as JSON has them: "1.500s", "2024-05-17T09:30:00Z". */
#ifndef GRPCC_JSON_TIME_H
#define GRPCC_JSON_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* Append the text without quotes; false, with nothing appended, where the value is out of range
 * (10,000 years; years 1 to 9999; a billion nanoseconds; signs that differ). */
bool grpcc_json_format_duration(int64_t seconds, int32_t nanos, struct heel_buffer *to);
bool grpcc_json_format_timestamp(int64_t seconds, int32_t nanos, struct heel_buffer *to);

/* Read a whole NUL-terminated text; false where it is not of the form, or out of range. */
bool grpcc_json_parse_duration(const char *text, int64_t *seconds, int32_t *nanos);
bool grpcc_json_parse_timestamp(const char *text, int64_t *seconds, int32_t *nanos);

#endif
