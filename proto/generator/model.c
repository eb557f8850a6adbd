#include "proto/generator/model.h"

#include <string.h>

#include "base/text.h"
#include "proto/generator/names.h"
#include "proto/generator/symbols.h"
#include "proto/generator/types.h"

/* Field numbers of descriptor.proto, of which the paths in SourceCodeInfo consist. */
enum { FILE_SERVICE = 6, SERVICE_METHOD = 2 };

static char *find_comment(const Google__Protobuf__FileDescriptorProto *file, const int32_t *path,
                          size_t length)
{
    const Google__Protobuf__SourceCodeInfo *info = file->source_code_info;

    for (size_t i = 0; info && i < info->n_location; i++) {
        const Google__Protobuf__SourceCodeInfo__Location *location = info->location[i];

        if (location->n_path == length && memcmp(location->path, path, length * sizeof(*path)) == 0)
            return heel_xstrdup(location->leading_comments ? location->leading_comments
                                                           : location->trailing_comments);
    }
    return NULL;
}

/* 0, or -1 if the type is unknown. */
static int load_type(const Google__Protobuf__Compiler__CodeGeneratorRequest *request,
                     const char *full_name, char **type, char **stem, char **error)
{
    heel_autofree char *name = types_resolve(request, full_name);

    if (!name) {
        *error = heel_format("no imported file declares %s", full_name);
        return -1;
    }
    *type = names_message_type(name);
    *stem = names_message_stem(name);
    return 0;
}

static int load_method(struct model_method *method, const struct model_service *service,
                       const Google__Protobuf__Compiler__CodeGeneratorRequest *request,
                       const Google__Protobuf__MethodDescriptorProto *proto, char **error)
{
    method->proto_name = proto->name;
    method->path = heel_format("/%s/%s", service->full_name, proto->name);
    method->member = names_snake(proto->name);
    method->name = heel_format("%s_%s", service->prefix, method->member);
    method->client_streaming = proto->client_streaming;
    method->server_streaming = proto->server_streaming;
    if (load_type(request, proto->input_type, &method->request_type, &method->request_stem, error))
        return -1;
    return load_type(request, proto->output_type, &method->response_type, &method->response_stem,
                     error);
}

static int load_service(struct model_file *model,
                        const Google__Protobuf__Compiler__CodeGeneratorRequest *request,
                        const Google__Protobuf__FileDescriptorProto *file, size_t index,
                        char **error)
{
    const Google__Protobuf__ServiceDescriptorProto *proto = file->service[index];
    struct model_service *service = &model->services[index];
    int32_t path[] = {FILE_SERVICE, (int32_t)index, SERVICE_METHOD, 0};
    bool in_package = file->package && *file->package;

    service->full_name =
        heel_format("%s%s%s", in_package ? file->package : "", in_package ? "." : "", proto->name);
    service->prefix = names_snake(service->full_name);
    service->comment = find_comment(file, path, 2);
    service->methods = heel_xcalloc(proto->n_method, sizeof(*service->methods));
    service->method_count = proto->n_method;
    for (size_t i = 0; i < proto->n_method; i++) {
        path[3] = (int32_t)i;
        service->methods[i].comment = find_comment(file, path, 4);
        if (load_method(&service->methods[i], service, request, proto->method[i], error))
            return -1;
    }
    return 0;
}

struct model_file *model_new(const Google__Protobuf__Compiler__CodeGeneratorRequest *request,
                             const Google__Protobuf__FileDescriptorProto *file, char **error)
{
    model_auto struct model_file *model = heel_xcalloc(1, sizeof(*model));

    model->proto_name = file->name;
    model->stem = names_file_stem(file->name);
    model->services = heel_xcalloc(file->n_service, sizeof(*model->services));
    model->service_count = file->n_service;
    for (size_t i = 0; i < file->n_service; i++)
        if (load_service(model, request, file, i, error))
            return NULL;
    return symbols_check(model, error) ? NULL : heel_steal(model);
}

static void free_method(struct model_method *method)
{
    free(method->path);
    free(method->member);
    free(method->name);
    free(method->comment);
    free(method->request_type);
    free(method->request_stem);
    free(method->response_type);
    free(method->response_stem);
}

static void free_service(struct model_service *service)
{
    for (size_t i = 0; i < service->method_count; i++)
        free_method(&service->methods[i]);
    free(service->methods);
    free(service->full_name);
    free(service->prefix);
    free(service->comment);
}

void model_free(struct model_file *model)
{
    if (!model)
        return;
    for (size_t i = 0; i < model->service_count; i++)
        free_service(&model->services[i]);
    free(model->services);
    free(model->stem);
    free(model);
}
