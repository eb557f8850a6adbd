#include "proto/runtime/internal.h"

/* What a side says that it takes in one frame. At 16 KiB, which is HTTP/2's default, streams of
 * large messages are a third slower. */
enum { MAX_FRAME_BYTES = 1 << 20 };

void grpcc_args_add(struct grpcc_args *args, const char *key, uint64_t value)
{
    grpcc_contract(args->count < GRPCC_MAX_ARGS);
    args->entries[args->count++] = (grpc_arg){
        .type = GRPC_ARG_INTEGER,
        .key = (char *)(uintptr_t)key,
        .value.integer = value > INT32_MAX ? INT32_MAX : (int)value,
    };
}

void grpcc_args_add_common(struct grpcc_args *args, int64_t keepalive_ms,
                           int64_t keepalive_timeout_ms)
{
    grpcc_args_add(args, GRPC_ARG_HTTP2_MAX_FRAME_SIZE, MAX_FRAME_BYTES);
    grpcc_args_add(args, GRPC_ARG_ENABLE_CHANNELZ, 0);
    grpcc_args_add(args, GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
                   1U << GRPC_COMPRESS_NONE);
    grpcc_args_add(args, GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
    if (keepalive_ms > 0)
        grpcc_args_add(args, GRPC_ARG_KEEPALIVE_TIME_MS, (uint64_t)keepalive_ms);
    if (keepalive_timeout_ms > 0)
        grpcc_args_add(args, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, (uint64_t)keepalive_timeout_ms);
}
