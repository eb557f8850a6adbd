/* What the two emitters need to know of a .proto file: its services, with every name already in C.
 */
#ifndef GENERATOR_MODEL_H
#define GENERATOR_MODEL_H

#include <google/protobuf/compiler/plugin.pb-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct model_method {
    const char *proto_name; /* borrowed from the request; "CreateSandbox" */
    char *path;             /* owned; "/heel.v1.SandboxService/CreateSandbox" */
    char *member;           /* owned; "create_sandbox" */
    char *name;             /* owned; "heel_v1_sandbox_service_create_sandbox" */
    char *comment;          /* owned; of the .proto file, NULL if there is none */
    bool client_streaming;
    bool server_streaming;
    char *request_type;  /* owned; "Heel__V1__CreateSandboxRequest" */
    char *request_stem;  /* owned; "heel__v1__create_sandbox_request" */
    char *response_type; /* owned */
    char *response_stem; /* owned */
};

struct model_service {
    char *full_name;              /* owned; "heel.v1.SandboxService" */
    char *prefix;                 /* owned; "heel_v1_sandbox_service" */
    char *comment;                /* owned; may be NULL */
    struct model_method *methods; /* owned */
    size_t method_count;
};

struct model_file {
    const char *proto_name;         /* borrowed from the request; "heel/v1/sandbox.proto" */
    char *stem;                     /* owned; "heel/v1/sandbox" */
    struct model_service *services; /* owned */
    size_t service_count;
};

/* The services of one file of `request`, which must outlive the result. NULL and *error (owned by
 * the caller) where there can be no C for it: a type that isn't there, or two methods of the same
 * name in C. */
struct model_file *model_new(const Google__Protobuf__Compiler__CodeGeneratorRequest *request,
                             const Google__Protobuf__FileDescriptorProto *file, char **error);

void model_free(struct model_file *model); /* NULL is fine */

HEEL_DEFINE_AUTOFREE(model, struct model_file, model_free);
#define model_auto HEEL_AUTOFREE(model)

#endif
