#include "proto/runtime/wire.h"

int grpcc_wire_check(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data, size_t length,
                     const struct grpcc_wire_limits *limits, struct grpcc_status **status)
{
    (void)descriptor;
    (void)data;
    (void)length;
    (void)limits;
    (void)status;
    return 0;
}

bool grpcc_message_find_unknown(const ProtobufCMessage *message, struct heel_buffer *path, bool *unknown_enum)
{
    (void)message;
    (void)path;
    (void)unknown_enum;
    return false;
}
