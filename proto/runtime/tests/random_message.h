/* Random messages of any type, always the same ones for the same seed. */
#ifndef GRPCC_TESTS_RANDOM_MESSAGE_H
#define GRPCC_TESTS_RANDOM_MESSAGE_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

/* The next number of the sequence that *state (not 0) stands in. */
uint64_t random_next(uint64_t *state);

/* A message with some of its fields set, nested at most `depth` levels below it. Durations,
 * timestamps and field masks are valid ones, map keys unique. The caller frees it with
 * protobuf_c_message_free_unpacked(). */
ProtobufCMessage *random_message(const ProtobufCMessageDescriptor *descriptor, unsigned depth,
                                 uint64_t *state);

#endif
