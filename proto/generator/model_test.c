/* What can't become C is refused with a sentence that names it. */
#include "proto/generator/model.h"

#include "base/test.h"
#include "base/text.h"

typedef Google__Protobuf__Compiler__CodeGeneratorRequest Request;
typedef Google__Protobuf__FileDescriptorProto File;

static char *text(const char *literal)
{
    return (char *)(uintptr_t)literal;
}

/* The model of a service p.Svc with these unary methods, which all take and return `type`. */
static struct model_file *load(const char *const *names, size_t count, const char *type,
                               char **error)
{
    Request request = GOOGLE__PROTOBUF__COMPILER__CODE_GENERATOR_REQUEST__INIT;
    File file = GOOGLE__PROTOBUF__FILE_DESCRIPTOR_PROTO__INIT, *files[] = {&file};
    Google__Protobuf__DescriptorProto message = GOOGLE__PROTOBUF__DESCRIPTOR_PROTO__INIT;
    Google__Protobuf__DescriptorProto nested = message, *messages[] = {&message},
                                      *inner[] = {&nested};
    Google__Protobuf__ServiceDescriptorProto service =
        GOOGLE__PROTOBUF__SERVICE_DESCRIPTOR_PROTO__INIT;
    Google__Protobuf__ServiceDescriptorProto *services[] = {&service};
    Google__Protobuf__MethodDescriptorProto methods[4], *pointers[4];

    for (size_t i = 0; i < count; i++) {
        google__protobuf__method_descriptor_proto__init(&methods[i]);
        methods[i].name = text(names[i]);
        methods[i].input_type = methods[i].output_type = text(type);
        pointers[i] = &methods[i];
    }
    nested.name = text("Inner");
    message.name = text("Message");
    message.n_nested_type = 1;
    message.nested_type = inner;
    service.name = text("Svc");
    service.n_method = count;
    service.method = pointers;
    file.name = text("p.proto");
    file.package = text("p");
    file.n_message_type = file.n_service = request.n_proto_file = 1;
    file.message_type = messages;
    file.service = services;
    request.proto_file = files;
    return model_new(&request, &file, error);
}

static void check_refused(const char *const *names, size_t count, const char *type,
                          const char *expected)
{
    heel_autofree char *error = NULL;
    model_auto struct model_file *model = load(names, count, type, &error);

    CHECK(!model);
    CHECK_STR(error, expected);
}

static void test_good(void)
{
    static const char *const names[] = {"Run", "Delete"};
    heel_autofree char *error = NULL;
    model_auto struct model_file *model = load(names, 2, ".p.Message.Inner", &error);

    REQUIRE(model);
    CHECK(!error);
    CHECK_STR(model->services[0].prefix, "p_svc");
    CHECK_STR(model->services[0].methods[1].path, "/p.Svc/Delete");
    CHECK_STR(model->services[0].methods[1].name, "p_svc_delete");
    CHECK_STR(model->services[0].methods[1].member, "delete");
    CHECK_STR(model->services[0].methods[0].request_type, "P__Message__Inner");
}

int main(void)
{
    static const char *const same[] = {"GetHTTP", "GetHttp"};
    static const char *const start[] = {"Run", "Other", "RunStart"};

    test_good();
    check_refused(same, 2, ".p.Message",
                  "/p.Svc/GetHTTP and /p.Svc/GetHttp would both need p_svc_get_http in C");
    check_refused(start, 3, ".p.Message",
                  "/p.Svc/Run and /p.Svc/RunStart would both need p_svc_run_start in C");
    check_refused(start, 1, ".p.Missing", "no imported file declares .p.Missing");
    check_refused(start, 1, ".q.Message", "no imported file declares .q.Message");
    check_refused(start, 1, ".p.Message.Missing", "no imported file declares .p.Message.Missing");
    return heel_test_end();
}
