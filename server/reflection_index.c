#include "server/reflection_index.h"

#include <stdbool.h>
#include <string.h>

/* What follows `name` and a dot in `symbol`; "" if it is all of it; NULL if it isn't in it. */
static const char *below(const char *symbol, const char *name)
{
    size_t length = strlen(name);

    if (strncmp(symbol, name, length) != 0)
        return NULL;
    if (symbol[length] == '.')
        return symbol + length + 1;
    return symbol[length] == '\0' ? symbol + length : NULL;
}

static bool is_in_enums(Google__Protobuf__EnumDescriptorProto **enums, size_t count,
                        const char *symbol)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(enums[i]->name, symbol) == 0)
            return true;
    return false;
}

static bool is_in_messages(Google__Protobuf__DescriptorProto **messages, size_t count,
                           const char *symbol);

/* `symbol` is what follows the message's own name. */
static bool is_in_message(const Google__Protobuf__DescriptorProto *message, const char *symbol)
{
    for (size_t i = 0; i < message->n_field; i++)
        if (strcmp(message->field[i]->name, symbol) == 0)
            return true;
    return is_in_enums(message->enum_type, message->n_enum_type, symbol) ||
           is_in_messages(message->nested_type, message->n_nested_type, symbol);
}

static bool is_in_messages(Google__Protobuf__DescriptorProto **messages, size_t count,
                           const char *symbol)
{
    for (size_t i = 0; i < count; i++) {
        const char *rest = below(symbol, messages[i]->name);

        if (rest && (*rest == '\0' || is_in_message(messages[i], rest)))
            return true;
    }
    return false;
}

static bool is_in_service(const Google__Protobuf__ServiceDescriptorProto *service,
                          const char *symbol)
{
    const char *rest = below(symbol, service->name);

    for (size_t i = 0; rest && *rest && i < service->n_method; i++)
        if (strcmp(service->method[i]->name, rest) == 0)
            return true;
    return rest && *rest == '\0';
}

static bool declares(const Google__Protobuf__FileDescriptorProto *file, const char *symbol)
{
    const char *rest = file->package ? below(symbol, file->package) : symbol;

    if (!rest || *rest == '\0')
        return false;
    for (size_t i = 0; i < file->n_service; i++)
        if (is_in_service(file->service[i], rest))
            return true;
    return is_in_enums(file->enum_type, file->n_enum_type, rest) ||
           is_in_messages(file->message_type, file->n_message_type, rest);
}

const Google__Protobuf__FileDescriptorProto *reflection_find_file(
    const Google__Protobuf__FileDescriptorSet *files, const char *name)
{
    for (size_t i = 0; i < files->n_file; i++)
        if (strcmp(files->file[i]->name, name) == 0)
            return files->file[i];
    return NULL;
}

const Google__Protobuf__FileDescriptorProto *reflection_find_symbol(
    const Google__Protobuf__FileDescriptorSet *files, const char *symbol)
{
    for (size_t i = 0; i < files->n_file; i++)
        if (declares(files->file[i], symbol))
            return files->file[i];
    return NULL;
}
