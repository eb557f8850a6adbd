/* protoc-gen-grpc-c: the plugin by which protoc writes C for gRPC services. protoc starts it with a
 * CodeGeneratorRequest on its standard input and takes a CodeGeneratorResponse from its standard
 * output. For each .proto file that declares services it writes X.grpc-c.h and X.grpc-c.c: typed
 * client calls and the table of handlers of a server, on top of the runtime in proto/runtime and of
 * the messages that protoc-c writes. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "proto/generator/emit.h"
#include "proto/generator/model.h"

typedef Google__Protobuf__Compiler__CodeGeneratorRequest Request;
typedef Google__Protobuf__Compiler__CodeGeneratorResponse Response;
typedef Google__Protobuf__Compiler__CodeGeneratorResponse__File File;

static void add_file(Response *response, const char *stem, const char *suffix, char *content)
{
    File *file = heel_xmalloc(sizeof(*file));

    google__protobuf__compiler__code_generator_response__file__init(file);
    file->name = heel_format("%s%s", stem, suffix);
    file->content = content;
    response->file = heel_xrealloc(response->file, response->n_file + 1, sizeof(*response->file));
    response->file[response->n_file++] = file;
}

static const Google__Protobuf__FileDescriptorProto *find_file(const Request *request,
                                                              const char *name)
{
    for (size_t i = 0; i < request->n_proto_file; i++)
        if (strcmp(request->proto_file[i]->name, name) == 0)
            return request->proto_file[i];
    return NULL;
}

/* 0, or -1 and response->error. */
static int generate_file(const Request *request, const char *name, Response *response)
{
    const Google__Protobuf__FileDescriptorProto *file = find_file(request, name);
    struct heel_buffer header = {0}, source = {0};
    heel_autofree char *why = NULL;
    model_auto struct model_file *model = NULL;

    if (file && !file->n_service)
        return 0;
    if (file)
        model = model_new(request, file, &why);
    if (!model) {
        response->error = heel_format("%s: %s", name, why ? why : "not in the request");
        return -1;
    }
    emit_header(model, &header);
    emit_source(model, &source);
    add_file(response, model->stem, ".grpc-c.h", header.data);
    add_file(response, model->stem, ".grpc-c.c", source.data);
    return 0;
}

static void generate(const Request *request, Response *response)
{
    response->has_supported_features = 1;
    response->supported_features =
        GOOGLE__PROTOBUF__COMPILER__CODE_GENERATOR_RESPONSE__FEATURE__FEATURE_PROTO3_OPTIONAL;
    if (request->parameter && *request->parameter) {
        response->error = heel_format("protoc-gen-grpc-c takes no parameter, but was given \"%s\"",
                                      request->parameter);
        return;
    }
    for (size_t i = 0; i < request->n_file_to_generate; i++)
        if (generate_file(request, request->file_to_generate[i], response))
            return;
}

static void read_all(FILE *from, struct heel_buffer *to)
{
    size_t got;

    do {
        got = fread(heel_buffer_reserve(to, 65536), 1, 65536, from);
        to->length += got;
    } while (got);
}

/* 0, or -1 after saying why: what protoc itself does wrong is no error of a .proto file. */
static int run(void)
{
    heel_autobuffer struct heel_buffer input = {0}, output = {0};
    Response response = GOOGLE__PROTOBUF__COMPILER__CODE_GENERATOR_RESPONSE__INIT;
    Request *request;

    read_all(stdin, &input);
    request = google__protobuf__compiler__code_generator_request__unpack(NULL, input.length,
                                                                         (uint8_t *)input.data);
    if (!request) {
        fputs("protoc-gen-grpc-c: standard input holds no CodeGeneratorRequest: protoc starts this "
              "program\n",
              stderr);
        return -1;
    }
    generate(request, &response);
    output.length = protobuf_c_message_pack(
        &response.base, (uint8_t *)heel_buffer_reserve(
                            &output, protobuf_c_message_get_packed_size(&response.base)));
    google__protobuf__compiler__code_generator_request__free_unpacked(request, NULL);
    for (size_t i = 0; i < response.n_file; i++) {
        free(response.file[i]->name);
        free(response.file[i]->content);
        free(response.file[i]);
    }
    free(response.file);
    free(response.error);
    if (fwrite(output.data, 1, output.length, stdout) != output.length || fflush(stdout)) {
        perror("protoc-gen-grpc-c: standard output");
        return -1;
    }
    return 0;
}

int main(void)
{
    return run() ? 1 : 0;
}
