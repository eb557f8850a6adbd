/* grpc.reflection.v1 and v1alpha: what this server's .proto files say, for clients that weren't
 * generated from them, such as grpcurl. */
#ifndef HEEL_SERVER_REFLECTION_H
#define HEEL_SERVER_REFLECTION_H

#include <stddef.h>
#include <stdint.h>

struct caller;

void reflection_register(struct caller *caller);

/* A google.protobuf.FileDescriptorSet of all that is served; made when heel is built. */
extern const uint8_t reflection_files[];
extern const size_t reflection_files_length;

#endif
