#include "proto/runtime/tests/echo_service.h"

#include "base/text.h"

/* State of one streaming call. */
struct echo_call {
    struct echo_service *service;
    unsigned count;              /* messages dealt with */
    unsigned wanted;             /* Repeat: how many there are to be */
    ProtobufCBinaryData payload; /* borrowed from the request (Repeat) */
    bool stalled;
    bool ended;
};

static struct grpcc_status *failure(int code)
{
    struct grpcc_status *status = grpcc_status_new(code, "failed as asked");

    grpcc_status_set_info(status, "grpcc.echo", "AS_ASKED");
    grpcc_status_add_metadata(status, "code", "yes");
    grpcc_status_add_field(status, "fail_code", "is not 0");
    grpcc_status_add_precondition(status, "ASKING", "client", "asked to fail");
    grpcc_status_set_retry(status, 1500);
    return status;
}

/* What the client sent under this key goes back under another. */
static void echo_metadata(struct grpcc_call *call)
{
    const struct grpcc_metadata *text = grpcc_call_metadata(call, "echo-text");
    const struct grpcc_metadata *binary = grpcc_call_metadata(call, "echo-binary-bin");

    if (text)
        grpcc_call_add_header(call, "echoed-text", text->value, text->length);
    if (binary)
        grpcc_call_add_trailer(call, "echoed-binary-bin", binary->value, binary->length);
}

static struct grpcc_status *broken(void)
{
    return grpcc_status_new(1, "the call is broken");
}

static void unary_on_cancel(struct grpcc_unary *call, void *service)
{
    struct echo_service *echo = service;

    echo->cancelled++;
    echo->ended++;
    grpcc_fail(call, broken());
}

static void unary(struct grpcc_unary *call, const Grpcc__Echo__EchoRequest *request, void *service)
{
    struct echo_service *echo = service;
    Grpcc__Echo__EchoResponse response = GRPCC__ECHO__ECHO_RESPONSE__INIT;

    echo->begun++;
    echo_metadata(grpcc_unary_call(call));
    if (echo->stalls) {
        echo->stalled++;
        grpcc_unary_on_cancel(call, unary_on_cancel, echo);
        return;
    }
    echo->ended++;
    if (request->fail_code) {
        grpcc_fail(call, failure(request->fail_code));
        return;
    }
    response.payload = request->payload;
    response.text = request->text;
    grpcc_echo_echo_service_unary_reply(call, &response);
}

/* ---- streams ---- */

static void on_done(struct grpcc_stream *stream, void *data)
{
    struct echo_call *call = data;

    (void)stream;
    call->service->ended++;
    free(call);
}

static void end(struct grpcc_stream *stream, struct echo_call *call, struct grpcc_status *status)
{
    if (call->ended) {
        grpcc_status_free(status);
        return;
    }
    call->ended = true;
    grpcc_stream_finish(stream, status, on_done);
}

static void on_cancel(struct grpcc_stream *stream, void *data)
{
    struct echo_call *call = data;

    call->service->cancelled++;
    if (call->stalled)
        end(stream, call, broken());
}

/* Whether the call is to stop here. */
static bool stall(struct echo_call *call)
{
    call->stalled = call->service->stalls && call->count >= call->service->stall_at;
    call->service->stalled += call->stalled;
    return call->stalled;
}

static struct echo_call *begin(struct grpcc_stream *stream, void *service)
{
    struct echo_call *call = heel_xcalloc(1, sizeof(*call));

    call->service = service;
    call->service->begun++;
    grpcc_stream_set_data(stream, call);
    grpcc_stream_on_cancel(stream, on_cancel);
    echo_metadata(grpcc_stream_call(stream));
    return call;
}

static void collect_on_request(struct grpcc_stream *stream, const Grpcc__Echo__EchoRequest *request,
                               void *data)
{
    struct echo_call *call = data;
    Grpcc__Echo__EchoResponse response = GRPCC__ECHO__ECHO_RESPONSE__INIT;

    if (request && request->fail_code) {
        end(stream, call, failure(request->fail_code));
    } else if (request) {
        call->count++;
        if (!stall(call))
            grpcc_echo_echo_service_collect_read_request(stream, collect_on_request);
    } else if (grpcc_call_is_cancelled(grpcc_stream_call(stream))) {
        end(stream, call, broken());
    } else {
        call->ended = true;
        response.index = call->count;
        grpcc_echo_echo_service_collect_reply(stream, &response, on_done);
    }
}

static void collect(struct grpcc_stream *stream, void *service)
{
    if (!stall(begin(stream, service)))
        grpcc_echo_echo_service_collect_read_request(stream, collect_on_request);
}

static void repeat_write(struct grpcc_stream *stream, struct echo_call *call);

static void repeat_on_written(struct grpcc_stream *stream, bool ok, void *data)
{
    struct echo_call *call = data;

    if (!ok) {
        end(stream, call, broken());
        return;
    }
    call->service->written++;
    repeat_write(stream, call);
}

static void repeat_write(struct grpcc_stream *stream, struct echo_call *call)
{
    Grpcc__Echo__EchoResponse response = GRPCC__ECHO__ECHO_RESPONSE__INIT;

    if (stall(call))
        return;
    if (call->count == call->wanted) {
        end(stream, call, NULL);
        return;
    }
    response.index = call->count++;
    response.payload = call->payload;
    grpcc_echo_echo_service_repeat_write_response(stream, &response, repeat_on_written);
}

static void repeat(struct grpcc_stream *stream, const Grpcc__Echo__EchoRequest *request,
                   void *service)
{
    struct echo_call *call = begin(stream, service);

    call->wanted = request->count;
    call->payload = request->payload;
    if (request->fail_code)
        end(stream, call, failure(request->fail_code));
    else
        repeat_write(stream, call);
}

static void chat_on_request(struct grpcc_stream *stream, const Grpcc__Echo__EchoRequest *request,
                            void *data);

static void chat_on_written(struct grpcc_stream *stream, bool ok, void *data)
{
    struct echo_call *call = data;

    if (!ok)
        end(stream, call, broken());
    else if (!stall(call))
        grpcc_echo_echo_service_chat_read_request(stream, chat_on_request);
}

static void chat_on_request(struct grpcc_stream *stream, const Grpcc__Echo__EchoRequest *request,
                            void *data)
{
    struct echo_call *call = data;
    Grpcc__Echo__EchoResponse response = GRPCC__ECHO__ECHO_RESPONSE__INIT;

    if (!request || request->fail_code) {
        end(stream, call, request ? failure(request->fail_code) : NULL);
        return;
    }
    response.index = call->count++;
    response.payload = request->payload;
    response.text = request->text;
    grpcc_echo_echo_service_chat_write_response(stream, &response, chat_on_written);
}

static void chat(struct grpcc_stream *stream, void *service)
{
    if (!stall(begin(stream, service)))
        grpcc_echo_echo_service_chat_read_request(stream, chat_on_request);
}

void echo_service_register(struct grpcc_server *server, struct echo_service *service)
{
    static const struct grpcc_echo_echo_service_handlers handlers = {
        .unary = unary,
        .collect = collect,
        .repeat = repeat,
        .chat = chat,
    };

    grpcc_echo_echo_service_register(server, &handlers, service);
}
