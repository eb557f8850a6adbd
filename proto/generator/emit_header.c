#include <string.h>

#include "proto/generator/emit.h"

enum { COMMENT_COLUMNS = 97 };

static const char *kind_text(const struct model_method *method)
{
    if (method->client_streaming)
        return method->server_streaming ? "bidirectional streaming" : "client streaming";
    return method->server_streaming ? "server streaming" : "unary";
}

/* Appends a piece of a comment behind " * ", unable to open or end one. */
static void append_comment_line(struct heel_buffer *to, const char *text, size_t length)
{
    heel_buffer_append_text(to, length ? " * " : " *");
    for (size_t i = 0; i < length; i++) {
        if (i && ((text[i - 1] == '*' && text[i] == '/') || (text[i - 1] == '/' && text[i] == '*')))
            heel_buffer_append_text(to, " ");
        heel_buffer_append(to, text + i, 1);
    }
    heel_buffer_append_text(to, "\n");
}

/* How much of a line to take: all that fits, or up to the last space that does, or the first after
 * that. */
static size_t take_line(const char *text, size_t length)
{
    size_t cut = COMMENT_COLUMNS;

    if (length <= COMMENT_COLUMNS)
        return length;
    while (cut && text[cut] != ' ')
        cut--;
    if (!cut)
        cut = COMMENT_COLUMNS;
    while (cut < length && text[cut] != ' ')
        cut++;
    return cut;
}

/* Appends the text of a comment in a .proto file. */
static void append_comment_lines(struct heel_buffer *to, const char *comment)
{
    for (const char *line = comment; *line;) {
        size_t length, taken;

        line += *line == ' ';
        length = strcspn(line, "\n");
        do {
            size_t shown = taken = take_line(line, length);

            while (shown && (line[shown - 1] == ' ' || line[shown - 1] == '\r'))
                shown--;
            append_comment_line(to, line, shown);
            taken += taken < length;
            line += taken;
            length -= taken;
        } while (length);
        line += *line == '\n';
    }
}

/* A comment with a first line of ours, and what the .proto file says behind it. */
static void append_comment(struct heel_buffer *to, const char *first, const char *comment)
{
    if (!comment) {
        heel_buffer_printf(to, "/* %s */\n", first);
        return;
    }
    heel_buffer_printf(to, "/* %s\n *\n", first);
    append_comment_lines(to, comment);
    heel_buffer_append_text(to, " */\n");
}

static void append_handler(struct heel_buffer *to, const struct model_method *method)
{
    heel_buffer_printf(to, "    /* %s, %s */\n", method->proto_name, kind_text(method));
    if (method->client_streaming)
        heel_buffer_printf(to, "    void (*%s)(struct grpcc_stream *stream, void *service);\n",
                           method->member);
    else
        heel_buffer_printf(
            to, "    void (*%s)(\n        struct grpcc_%s, const %s *request, void *service);\n",
            method->member, method->server_streaming ? "stream *stream" : "unary *call",
            method->request_type);
}

static void append_handlers(struct heel_buffer *to, const struct model_service *service)
{
    heel_buffer_append_text(
        to, "/* What a server does for each method; one that is NULL answers UNIMPLEMENTED. */\n");
    heel_buffer_printf(to, "struct %s_handlers {\n", service->prefix);
    for (size_t i = 0; i < service->method_count; i++)
        append_handler(to, &service->methods[i]);
    if (!service->method_count)
        heel_buffer_append_text(to, "    char no_methods;\n");
    heel_buffer_append_text(to, "};\n\n");
    heel_buffer_append_text(
        to,
        "/* Before grpcc_server_start. `handlers` is copied; every handler gets `service`. */\n");
    heel_buffer_printf(
        to,
        "void %s_register(\n    struct grpcc_server *server, const struct %s_handlers *handlers,\n"
        "    void *service);\n",
        service->prefix, service->prefix);
}

/* The typed callbacks that the functions of a method take. */
static void append_callbacks(struct heel_buffer *to, const struct model_method *method)
{
    static const char stream_callback[] =
        "typedef void %s_on_%s(\n    struct grpcc_stream *stream, const %s *%s, void *data);\n";

    if (!method->client_streaming && !method->server_streaming)
        heel_buffer_printf(to,
                           "typedef void %s_on_reply(\n    const %s *response, const struct "
                           "grpcc_status *status, void *data);\n",
                           method->name, method->response_type);
    if (method->client_streaming)
        heel_buffer_printf(to, stream_callback, method->name, "request", method->request_type,
                           "request");
    if (method->client_streaming || method->server_streaming)
        heel_buffer_printf(to, stream_callback, method->name, "response", method->response_type,
                           "response");
}

static void append_method(struct heel_buffer *to, const struct model_method *method)
{
    heel_autofree char *first =
        heel_format("---- %s, %s ----", method->proto_name, kind_text(method));
    size_t count;
    const struct function *functions = functions_of(method, &count);

    heel_buffer_append_text(to, "\n");
    append_comment(to, first, method->comment);
    heel_buffer_printf(to, "\nextern const struct grpcc_method %s_method;\n", method->name);
    append_callbacks(to, method);
    for (size_t i = 0; i < count; i++) {
        heel_buffer_printf(to, "\n/* %s */\n", functions[i].about);
        emit_prototype(to, &functions[i], method);
        heel_buffer_append_text(to, ";\n");
    }
}

static void append_service(struct heel_buffer *to, const struct model_service *service)
{
    heel_autofree char *first = heel_format("======== %s ========", service->full_name);

    heel_buffer_append_text(to, "\n");
    append_comment(to, first, service->comment);
    heel_buffer_append_text(to, "\n");
    append_handlers(to, service);
    for (size_t i = 0; i < service->method_count; i++)
        append_method(to, &service->methods[i]);
}

/* "heel/v1/sandbox" as "HEEL_V1_SANDBOX", what isn't a letter or digit as "_". */
static char *guard_name(const char *stem)
{
    char *guard = heel_xstrdup(stem);

    for (char *c = guard; *c; c++) {
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
        else if (!((*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9')))
            *c = '_';
    }
    return guard;
}

void emit_header(const struct model_file *model, struct heel_buffer *to)
{
    heel_autofree char *guard = guard_name(model->stem);

    heel_buffer_printf(to, "/* Generated by protoc-gen-grpc-c from %s. Do not edit. */\n",
                       model->proto_name);
    heel_buffer_printf(to, "#ifndef GRPCC_%s_GRPC_C_H\n#define GRPCC_%s_GRPC_C_H\n\n", guard,
                       guard);
    heel_buffer_printf(to, "#include \"%s.pb-c.h\"\n#include \"proto/runtime/grpcc.h\"\n\n",
                       model->stem);
    heel_buffer_append_text(to, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    for (size_t i = 0; i < model->service_count; i++)
        append_service(to, &model->services[i]);
    heel_buffer_append_text(to, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}
