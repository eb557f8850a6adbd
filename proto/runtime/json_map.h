/* Maps as protobuf-c has them: arrays of entries, in which a key may stand twice. */
#ifndef GRPCC_JSON_MAP_H
#define GRPCC_JSON_MAP_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

struct grpcc_json_entry {
    const ProtobufCFieldDescriptor *key; /* borrowed */
    const ProtobufCMessage *message;     /* borrowed */
    size_t position;                     /* in the map's array */
};

/* The entries of the map `field`, ordered by key; those with the same key in their order. The
 * caller frees the array. */
struct grpcc_json_entry *grpcc_json_sort_map(const ProtobufCFieldDescriptor *field,
                                             ProtobufCMessage *const *entries, size_t count);

/* Less than, equal to or greater than 0. */
int grpcc_json_compare_keys(const struct grpcc_json_entry *one,
                            const struct grpcc_json_entry *other);

#endif
