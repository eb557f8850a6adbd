/* Which .proto file declares what. */
#ifndef HEEL_SERVER_REFLECTION_INDEX_H
#define HEEL_SERVER_REFLECTION_INDEX_H

#include "google/protobuf/descriptor.pb-c.h"

/* Each NULL where there is none; borrowed from `files`. */
const Google__Protobuf__FileDescriptorProto *reflection_find_file(
    const Google__Protobuf__FileDescriptorSet *files, const char *name);

/* `symbol` is the full name of a message, field, enum, service or method. */
const Google__Protobuf__FileDescriptorProto *reflection_find_symbol(
    const Google__Protobuf__FileDescriptorSet *files, const char *symbol);

#endif
