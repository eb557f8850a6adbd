/* Where messages are declared, and what protoc-c calls them. */
#ifndef GENERATOR_TYPES_H
#define GENERATOR_TYPES_H

#include <google/protobuf/compiler/plugin.pb-c.h>

/* The name from which protoc-c makes the names in C of the message `full_name` (".heel.v1.Foo"):
 * without the leading dot, and with the package that the option c_package of its file gives. Owned
 * by the caller; NULL if no file of the request declares it. */
char *types_resolve(const Google__Protobuf__Compiler__CodeGeneratorRequest *request,
                    const char *full_name);

#endif
