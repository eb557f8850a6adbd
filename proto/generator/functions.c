#include "proto/generator/functions.h"

#define CHANNEL           "struct grpcc_channel *channel, "
#define CHANNEL_AND_QUEUE CHANNEL "struct grpcc_queue *queue, "
#define REQUEST           "const $Q *request, "
#define OPTIONS           "const struct grpcc_call_options *options, "
#define STREAM            "struct grpcc_stream *stream, "

/* The casts of callbacks change the type of one pointer to an object; no ABI passes those in
 * different ways. */
#define READ_REQUEST \
    { \
        .about = "Server: the next request.", .result = "void ", .suffix = "_read_request", \
        .parameters = STREAM "$N_on_request *on_request", .callee = "grpcc_stream_read", \
        .arguments = "stream, (grpcc_on_message *)on_request", \
    }
#define WRITE_RESPONSE \
    { \
        .about = "Server: the next response; grpcc_stream_finish() ends the stream.", \
        .result = "void ", .suffix = "_write_response", \
        .parameters = STREAM "const $S *response, grpcc_on_written *on_written", \
        .callee = "grpcc_stream_write", .arguments = "stream, &response->base, on_written", \
    }
#define WRITE_REQUEST \
    { \
        .about = "Client: the next request; grpcc_stream_half_close() after the last.", \
        .result = "void ", .suffix = "_write_request", \
        .parameters = STREAM "const $Q *request, grpcc_on_written *on_written", \
        .callee = "grpcc_stream_write", .arguments = "stream, &request->base, on_written", \
    }
#define READ_RESPONSE \
    { \
        .about = "Client: the next response.", .result = "void ", .suffix = "_read_response", \
        .parameters = STREAM "$N_on_response *on_response", .callee = "grpcc_stream_read", \
        .arguments = "stream, (grpcc_on_message *)on_response", \
    }
#define OPEN \
    { \
        .about = "Client: opens the stream; it goes out with the first request or read.", \
        .result = "struct grpcc_stream *", .suffix = "_open", \
        .parameters = CHANNEL_AND_QUEUE OPTIONS "grpcc_on_status *on_status, void *data", \
        .callee = "grpcc_stream_open", \
        .arguments = "channel, queue, &$M, options, on_status, data", \
    }

static const struct function unary[] = {
    {
        .about = "Server: answers with a response; grpcc_fail() answers with an error.",
        .result = "void ",
        .suffix = "_reply",
        .parameters = "struct grpcc_unary *call, const $S *response",
        .callee = "grpcc_reply",
        .arguments = "call, &response->base",
    },
    {
        .about = "Client, blocking: 0 and *response, which the caller frees, or -1 and *status.",
        .result = "int ",
        .suffix = "",
        .parameters = CHANNEL REQUEST OPTIONS "$S **response, struct grpcc_status **status",
        .callee = "grpcc_call_blocking",
        .arguments = "channel, &$M, &request->base, options, (ProtobufCMessage **)response, status",
    },
    {
        .about = "Client: the same without blocking; on_reply is run on the queue.",
        .result = "struct grpcc_client_call *",
        .suffix = "_start",
        .parameters = CHANNEL_AND_QUEUE REQUEST OPTIONS "$N_on_reply *on_reply, void *data",
        .callee = "grpcc_call_start",
        .arguments = "channel, queue, &$M, &request->base, options, (grpcc_on_reply *)on_reply, "
                     "data",
    },
};

static const struct function client_streaming[] = {
    READ_REQUEST,
    {
        .about = "Server: the one response, which ends the stream; grpcc_stream_finish() ends it "
                 "with an error.",
        .result = "void ",
        .suffix = "_reply",
        .parameters = STREAM "const $S *response, grpcc_on_done *on_done",
        .callee = "grpcc_stream_reply",
        .arguments = "stream, &response->base, on_done",
    },
    OPEN,
    WRITE_REQUEST,
    READ_RESPONSE,
};

static const struct function server_streaming[] = {
    WRITE_RESPONSE,
    {
        .about = "Client: opens the stream, sends the one request and half-closes.",
        .result = "struct grpcc_stream *",
        .suffix = "_open",
        .parameters = CHANNEL_AND_QUEUE REQUEST OPTIONS "grpcc_on_status *on_status, void *data",
        .callee = "grpcc_stream_open_with",
        .arguments = "channel, queue, &$M, &request->base, options, on_status, data",
    },
    READ_RESPONSE,
};

static const struct function bidi_streaming[] = {
    READ_REQUEST, WRITE_RESPONSE, OPEN, WRITE_REQUEST, READ_RESPONSE,
};

const struct function *functions_of(const struct model_method *method, size_t *count)
{
    static const struct {
        const struct function *functions;
        size_t count;
    } kinds[2][2] = {
        {
            {unary, HEEL_ARRAY_LENGTH(unary)},
            {server_streaming, HEEL_ARRAY_LENGTH(server_streaming)},
        },
        {
            {client_streaming, HEEL_ARRAY_LENGTH(client_streaming)},
            {bidi_streaming, HEEL_ARRAY_LENGTH(bidi_streaming)},
        },
    };

    *count = kinds[method->client_streaming][method->server_streaming].count;
    return kinds[method->client_streaming][method->server_streaming].functions;
}
