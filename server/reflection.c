#include "server/reflection.h"

#include "base/text.h"
#include "grpc/reflection/v1/reflection.grpc-c.h"
#include "server/callers.h"
#include "server/core.h"
#include "server/reflection_index.h"
#include "server/service.h"

typedef Grpc__Reflection__V1__ServerReflectionRequest Request;
typedef Grpc__Reflection__V1__ServerReflectionResponse Response;

/* What this server has, for list_services. */
static const char *const services[] = {
    "heel.v1.SandboxService",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
};

/* One open stream. The files are unpacked for as long as somebody asks: few ever do. */
struct reflection {
    struct caller *caller; /* borrowed */
    Google__Protobuf__FileDescriptorSet *files;
};

/* ---- answers; each writes one ---- */

static void on_written(struct grpcc_stream *stream, bool ok, void *data);

static void answer(struct grpcc_stream *stream, const Request *request, Response *response)
{
    response->valid_host = request->host;
    response->original_request = (Request *)(uintptr_t)request;
    grpcc_stream_write(stream, &response->base, on_written);
}

static void answer_error(struct grpcc_stream *stream, const Request *request, enum heel_code code,
                         const char *message)
{
    Grpc__Reflection__V1__ErrorResponse error = GRPC__REFLECTION__V1__ERROR_RESPONSE__INIT;
    Response response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;

    error.error_code = (int32_t)code;
    error.error_message = (char *)(uintptr_t)message;
    response.message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
    response.error_response = &error;
    answer(stream, request, &response);
}

static void answer_file(struct grpcc_stream *stream, const Request *request,
                        const Google__Protobuf__FileDescriptorProto *file)
{
    Grpc__Reflection__V1__FileDescriptorResponse files =
        GRPC__REFLECTION__V1__FILE_DESCRIPTOR_RESPONSE__INIT;
    Response response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
    heel_autofree uint8_t *packed = NULL;
    ProtobufCBinaryData bytes;

    if (!file) {
        answer_error(stream, request, HEEL_NOT_FOUND, "this server has nothing of that name");
        return;
    }
    packed = heel_xmalloc(protobuf_c_message_get_packed_size(&file->base));
    bytes = (ProtobufCBinaryData){protobuf_c_message_pack(&file->base, packed), packed};
    files.n_file_descriptor_proto = 1;
    files.file_descriptor_proto = &bytes;
    response.message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
    response.file_descriptor_response = &files;
    answer(stream, request, &response);
}

static void answer_services(struct grpcc_stream *stream, const Request *request)
{
    Grpc__Reflection__V1__ServiceResponse items[HEEL_ARRAY_LENGTH(services)];
    Grpc__Reflection__V1__ServiceResponse *pointers[HEEL_ARRAY_LENGTH(services)];
    Grpc__Reflection__V1__ListServiceResponse list =
        GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;
    Response response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(services); i++) {
        grpc__reflection__v1__service_response__init(&items[i]);
        items[i].name = (char *)(uintptr_t)services[i];
        pointers[i] = &items[i];
    }
    list.n_service = HEEL_ARRAY_LENGTH(services);
    list.service = pointers;
    response.message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
    response.list_services_response = &list;
    answer(stream, request, &response);
}

/* ---- the stream ---- */

static void on_done(struct grpcc_stream *stream, void *data)
{
    struct reflection *reflection = data;

    (void)stream;
    callers_stream_over(reflection->caller);
    google__protobuf__file_descriptor_set__free_unpacked(reflection->files, NULL);
    free(reflection);
}

static void on_request(struct grpcc_stream *stream, const ProtobufCMessage *message, void *data)
{
    const struct reflection *reflection = data;
    const Request *request = (const Request *)message;

    if (!request) {
        grpcc_stream_finish(stream, NULL, on_done);
        return;
    }
    switch (request->message_request_case) {
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
        answer_file(stream, request,
                    reflection_find_file(reflection->files, request->file_by_filename));
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
        answer_file(stream, request,
                    reflection_find_symbol(reflection->files, request->file_containing_symbol));
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
        answer_services(stream, request);
        break;
    default:
        answer_error(stream, request, HEEL_NOT_FOUND, "this server has no extensions");
    }
}

static void on_written(struct grpcc_stream *stream, bool ok, void *data)
{
    (void)data;
    if (ok)
        grpcc_stream_read(stream, on_request);
    else
        grpcc_stream_finish(stream, NULL, on_done);
}

static void on_refused(struct grpcc_stream *stream, void *data)
{
    (void)stream;
    (void)data;
}

static void open_stream(struct grpcc_stream *stream, void *service)
{
    heel_autoerror struct heel_error *error = NULL;
    struct caller *caller = service;
    struct reflection *reflection;

    if (callers_admit_stream(caller, &error) < 0) {
        grpcc_stream_finish(stream, service_status(error), on_refused);
        return;
    }
    reflection = heel_xcalloc(1, sizeof *reflection);
    reflection->caller = caller;
    reflection->files = google__protobuf__file_descriptor_set__unpack(NULL, reflection_files_length,
                                                                      reflection_files);
    grpcc_stream_set_data(stream, reflection);
    grpcc_stream_read(stream, on_request);
}

void reflection_register(struct caller *caller)
{
    /* The elder name of the same messages, which most clients try first or only. */
    static const struct grpcc_method elder = {
        .path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        .kind = GRPCC_BIDI_STREAMING,
        .request = &grpc__reflection__v1__server_reflection_request__descriptor,
        .response = &grpc__reflection__v1__server_reflection_response__descriptor,
    };
    static const struct grpc_reflection_v1_server_reflection_handlers handlers = {
        .server_reflection_info = open_stream,
    };

    grpc_reflection_v1_server_reflection_register(caller->server, &handlers, caller);
    grpcc_server_register(caller->server, &elder, (union grpcc_handler){.stream = open_stream},
                          caller);
}
