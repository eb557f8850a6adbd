/* Single values in JSON: into a field of a message, with everything that protobuf's mapping allows
 * for its type. All return 0, or -1 with the reader's status. */
#ifndef GRPCC_JSON_VALUE_H
#define GRPCC_JSON_VALUE_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/runtime/json_reader.h"

/* Takes the next value for a field that isn't a message. `value` is where it lies in the generated
 * structure; strings and bytes are owned by that. On failure *value is as it was. */
int grpcc_json_read_scalar(struct grpcc_json_reader *reader, const ProtobufCFieldDescriptor *field,
                           void *value);

/* The same for the key of a map, which was read into reader->string. */
int grpcc_json_read_map_key(struct grpcc_json_reader *reader, const ProtobufCFieldDescriptor *field,
                            void *value);

/* A string without NUL, which the caller owns. */
int grpcc_json_read_c_string(struct grpcc_json_reader *reader, char **text);

int grpcc_json_read_duration(struct grpcc_json_reader *reader, int64_t *seconds, int32_t *nanos);
int grpcc_json_read_timestamp(struct grpcc_json_reader *reader, int64_t *seconds, int32_t *nanos);

/* One path of a FieldMask in the proto's spelling, owned by the caller; NULL where it is none. */
char *grpcc_json_to_proto_path(const char *path);

/* Takes the path of the field that is being read back to `length`. */
void grpcc_json_leave(struct grpcc_json_reader *reader, size_t length);

#endif
