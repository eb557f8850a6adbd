#include "proto/runtime/internal.h"

#include <grpc/byte_buffer_reader.h>

grpc_byte_buffer *grpcc_message_pack(const ProtobufCMessage *message)
{
    grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));
    grpc_byte_buffer *buffer;

    protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
    buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return buffer;
}

/* All bytes of a buffer in one slice, which the caller unrefs: the buffer's own where it has just
 * one, else a copy. */
static grpc_slice join(grpc_byte_buffer *buffer)
{
    grpc_byte_buffer_reader reader;
    grpc_slice slice, *only;
    bool whole;

    if (!grpc_byte_buffer_reader_init(&reader, buffer))
        abort();
    whole = grpc_byte_buffer_reader_peek(&reader, &only) &&
            GRPC_SLICE_LENGTH(*only) == grpc_byte_buffer_length(buffer);
    if (whole)
        slice = grpc_slice_ref(*only);
    grpc_byte_buffer_reader_destroy(&reader);
    if (whole)
        return slice;
    if (!grpc_byte_buffer_reader_init(&reader, buffer))
        abort();
    slice = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    return slice;
}

ProtobufCMessage *grpcc_message_unpack(const ProtobufCMessageDescriptor *descriptor,
                                       grpc_byte_buffer *buffer,
                                       const struct grpcc_wire_limits *limits,
                                       struct grpcc_status **status)
{
    ProtobufCMessage *message = NULL;
    grpc_slice slice = join(buffer);
    size_t length = GRPC_SLICE_LENGTH(slice);

    if (grpcc_wire_check(descriptor, GRPC_SLICE_START_PTR(slice), length, limits, status) == 0) {
        message = protobuf_c_message_unpack(descriptor, NULL, length, GRPC_SLICE_START_PTR(slice));
        if (!message)
            *status = grpcc_status_new(GRPC_STATUS_INVALID_ARGUMENT, "the message is malformed");
    }
    grpc_slice_unref(slice);
    return message;
}

void grpcc_message_free(ProtobufCMessage *message)
{
    if (message)
        protobuf_c_message_free_unpacked(message, NULL);
}

void grpcc_buffer_destroy(grpc_byte_buffer **buffer)
{
    if (*buffer)
        grpc_byte_buffer_destroy(*buffer);
    *buffer = NULL;
}
