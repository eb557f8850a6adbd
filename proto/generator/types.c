#include "proto/generator/types.h"

#include <string.h>

#include "base/text.h"

/* protobuf-c/protobuf-c.proto: an extension of FileOptions, with c_package in it. */
enum { PB_C_FILE = 1019, PB_C_FILE_C_PACKAGE = 6 };

static const ProtobufCMessageUnknownField *find_unknown(const ProtobufCMessage *message,
                                                        uint32_t tag)
{
    for (unsigned i = 0; i < message->n_unknown_fields; i++)
        if (message->unknown_fields[i].tag == tag)
            return &message->unknown_fields[i];
    return NULL;
}

/* The payload of a length-delimited field. protoc has written these bytes, so they are well formed;
 * what isn't is not taken. */
static char *unknown_payload(const ProtobufCMessageUnknownField *field, size_t *length)
{
    size_t at = 0, value = 0;
    unsigned shift = 0;

    if (!field || field->wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
        return NULL;
    do {
        if (at == field->len || shift > 28)
            return NULL;
        value |= (size_t)(field->data[at] & 0x7f) << shift;
        shift += 7;
    } while (field->data[at++] & 0x80);
    if (field->len - at != value)
        return NULL;
    *length = value;
    return (char *)field->data + at;
}

/* The option c_package of a file, or NULL; owned by the caller. */
static char *c_package(const Google__Protobuf__FileDescriptorProto *file)
{
    /* The extension's message isn't compiled in. Any message can hold its fields as unknown ones;
     * MethodOptions knows none of such low numbers. */
    ProtobufCMessage *options = NULL;
    char *result = NULL, *payload;
    size_t length;

    payload = file->options
                  ? unknown_payload(find_unknown(&file->options->base, PB_C_FILE), &length)
                  : NULL;
    if (payload)
        options = protobuf_c_message_unpack(&google__protobuf__method_options__descriptor, NULL,
                                            length, (const uint8_t *)payload);
    if (!options)
        return NULL;
    payload = unknown_payload(find_unknown(options, PB_C_FILE_C_PACKAGE), &length);
    if (payload)
        result = heel_format("%.*s", (int)length, payload);
    protobuf_c_message_free_unpacked(options, NULL);
    return result;
}

/* Whether `name` (relative to where these messages are declared) is one of them or nested in one.
 */
static bool declares(Google__Protobuf__DescriptorProto *const *messages, size_t count,
                     const char *name)
{
    size_t length = strcspn(name, ".");

    for (size_t i = 0; i < count; i++) {
        if (strlen(messages[i]->name) != length || strncmp(messages[i]->name, name, length) != 0)
            continue;
        return !name[length] ||
               declares(messages[i]->nested_type, messages[i]->n_nested_type, name + length + 1);
    }
    return false;
}

/* The part of `full_name` behind the file's package, or NULL if that is another. */
static const char *without_package(const Google__Protobuf__FileDescriptorProto *file,
                                   const char *full_name)
{
    size_t length = file->package ? strlen(file->package) : 0;

    if (!length)
        return full_name;
    return strncmp(full_name, file->package, length) == 0 && full_name[length] == '.'
               ? full_name + length + 1
               : NULL;
}

char *types_resolve(const Google__Protobuf__Compiler__CodeGeneratorRequest *request,
                    const char *full_name)
{
    full_name += *full_name == '.';
    for (size_t i = 0; i < request->n_proto_file; i++) {
        const Google__Protobuf__FileDescriptorProto *file = request->proto_file[i];
        const char *name = without_package(file, full_name);
        heel_autofree char *package = NULL;

        if (!name || !declares(file->message_type, file->n_message_type, name))
            continue;
        package = c_package(file);
        return package ? heel_format("%s.%s", package, name) : heel_xstrdup(full_name);
    }
    return NULL;
}
