#include "proto/generator/emit.h"

#include <string.h>

enum { COLUMNS = 100 };

#define START_PARAMETERS "const struct grpcc_call_options *options, $N_on_reply *on_reply, void *data"
#define OPEN_PARAMETERS "const struct grpcc_call_options *options, grpcc_on_status *on_status, void *data"
#define DONE_PARAMETERS "void (*on_done)(struct grpcc_stream *stream, void *data)"

/* The casts between callbacks differ in the type of one object pointer only; no ABI passes those differently. */
static const struct emit_function unary[] = {
    {"Server: answers with a response; grpcc_fail() answers with an error.", "void ", "_reply",
     "struct grpcc_unary *call, const $S *response", "grpcc_reply(call, &response->base);"},
    {"Client, blocking: 0 and *response, which the caller frees, or -1 and *status.", "int ", "",
     "struct grpcc_channel *channel, const $Q *request, const struct grpcc_call_options *options, $S **response, "
     "struct grpcc_status **status",
     "return grpcc_call_blocking(channel, &$M, &request->base, options, (ProtobufCMessage **)response, status);"},
    {"Client: the same without blocking; on_reply is run on the queue.", "struct grpcc_client_call *", "_start",
     "struct grpcc_channel *channel, struct grpcc_queue *queue, const $Q *request, " START_PARAMETERS,
     "return grpcc_call_start(channel, queue, &$M, &request->base, options, (grpcc_on_reply *)on_reply, data);"},
};

static const struct emit_function client_streaming[] = {
    {"Server: the next request.", "void ", "_read_request", "struct grpcc_stream *stream, $N_on_request *on_request",
     "grpcc_stream_read(stream, (grpcc_on_message *)on_request);"},
    {"Server: the one response, which ends the stream; grpcc_stream_finish() ends it with an error.", "void ", "_reply",
     "struct grpcc_stream *stream, const $S *response, " DONE_PARAMETERS,
     "grpcc_stream_reply(stream, &response->base, on_done);"},
    {"Client: opens the stream. Write requests, grpcc_stream_half_close(), read the one response.", "struct grpcc_stream *",
     "_open", "struct grpcc_channel *channel, struct grpcc_queue *queue, " OPEN_PARAMETERS,
     "return grpcc_stream_open(channel, queue, &$M, options, on_status, data);"},
    {NULL, "void ", "_write_request", "struct grpcc_stream *stream, const $Q *request, grpcc_on_written *on_written",
     "grpcc_stream_write(stream, &request->base, on_written);"},
    {NULL, "void ", "_read_response", "struct grpcc_stream *stream, $N_on_response *on_response",
     "grpcc_stream_read(stream, (grpcc_on_message *)on_response);"},
};

static const struct emit_function server_streaming[] = {
    {"Server: the next response; grpcc_stream_finish() ends the stream.", "void ", "_write_response",
     "struct grpcc_stream *stream, const $S *response, grpcc_on_written *on_written",
     "grpcc_stream_write(stream, &response->base, on_written);"},
    {"Client: opens the stream, sends the one request and half-closes. Read responses.", "struct grpcc_stream *", "_open",
     "struct grpcc_channel *channel, struct grpcc_queue *queue, const $Q *request, " OPEN_PARAMETERS,
     "return grpcc_stream_open_with(channel, queue, &$M, &request->base, options, on_status, data);"},
    {NULL, "void ", "_read_response", "struct grpcc_stream *stream, $N_on_response *on_response",
     "grpcc_stream_read(stream, (grpcc_on_message *)on_response);"},
};

static const struct emit_function bidi_streaming[] = {
    {"Server: the next request.", "void ", "_read_request", "struct grpcc_stream *stream, $N_on_request *on_request",
     "grpcc_stream_read(stream, (grpcc_on_message *)on_request);"},
    {"Server: the next response; grpcc_stream_finish() ends the stream.", "void ", "_write_response",
     "struct grpcc_stream *stream, const $S *response, grpcc_on_written *on_written",
     "grpcc_stream_write(stream, &response->base, on_written);"},
    {"Client: opens the stream. Write requests and read responses; grpcc_stream_half_close() after the last request.",
     "struct grpcc_stream *", "_open", "struct grpcc_channel *channel, struct grpcc_queue *queue, " OPEN_PARAMETERS,
     "return grpcc_stream_open(channel, queue, &$M, options, on_status, data);"},
    {NULL, "void ", "_write_request", "struct grpcc_stream *stream, const $Q *request, grpcc_on_written *on_written",
     "grpcc_stream_write(stream, &request->base, on_written);"},
    {NULL, "void ", "_read_response", "struct grpcc_stream *stream, $N_on_response *on_response",
     "grpcc_stream_read(stream, (grpcc_on_message *)on_response);"},
};

const struct emit_function *emit_functions(bool from_client, bool from_server, size_t *count)
{
    static const struct {
        const struct emit_function *functions;
        size_t count;
    } kinds[2][2] = {
        {{unary, HEEL_ARRAY_LENGTH(unary)}, {server_streaming, HEEL_ARRAY_LENGTH(server_streaming)}},
        {{client_streaming, HEEL_ARRAY_LENGTH(client_streaming)}, {bidi_streaming, HEEL_ARRAY_LENGTH(bidi_streaming)}},
    };

    *count = kinds[from_client][from_server].count;
    return kinds[from_client][from_server].functions;
}

void emit_expand(struct heel_buffer *to, const char *pattern, const struct model_method *method)
{
    for (const char *c = pattern; *c; c++) {
        if (*c != '$') {
            heel_buffer_append(to, c, 1);
            continue;
        }
        switch (*++c) {
        case 'Q': heel_buffer_append_text(to, method->request_type); break;
        case 'S': heel_buffer_append_text(to, method->response_type); break;
        case 'N': heel_buffer_append_text(to, method->name); break;
        case 'M': heel_buffer_printf(to, "%s_method", method->name); break;
        default: abort();
        }
    }
}

/* Appends `parameters` in lines of 4 spaces of indent, each as full as it may be. */
static void append_lines(struct heel_buffer *to, const char *parameters)
{
    size_t column = 0;

    for (const char *at = parameters; *at;) {
        const char *comma = strstr(at, ", ");
        size_t length = comma ? (size_t)(comma - at) + 1 : strlen(at) + 2;

        if (!column || column + 1 + length > COLUMNS) {
            heel_buffer_append_text(to, "\n    ");
            column = 4;
        } else {
            heel_buffer_append_text(to, " ");
            column++;
        }
        heel_buffer_append(to, at, comma ? length : length - 2);
        column += length;
        at = comma ? comma + 2 : at + length - 2;
    }
}

void emit_prototype(struct heel_buffer *to, const struct emit_function *function, const struct model_method *method)
{
    heel_autobuffer struct heel_buffer parameters = {0};
    heel_autofree char *head = heel_format("%s%s%s(", function->result, method->name, function->suffix);

    emit_expand(&parameters, function->parameters, method);
    heel_buffer_append_text(to, head);
    /* A pointer to a function has a comma of its own, and is always last: those lines only break before it. */
    if (strlen(head) + parameters.length + 2 <= COLUMNS)
        heel_buffer_append_text(to, parameters.data);
    else
        append_lines(to, parameters.data);
    heel_buffer_append_text(to, ")");
}
