#include "proto/runtime/json.h"

void grpcc_json_print(const ProtobufCMessage *message, const struct grpcc_json_options *options, struct heel_buffer *to)
{
    (void)message;
    (void)options;
    heel_buffer_append_text(to, "{}");
}

void grpcc_json_print_string(const char *text, size_t length, struct heel_buffer *to)
{
    (void)text;
    (void)length;
    heel_buffer_append_text(to, "\"\"");
}
