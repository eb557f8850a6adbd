#include "proto/generator/emit.h"

#include <string.h>

enum { COLUMNS = 100 };

/* Appends `pattern` with its $ letters replaced. */
static void expand(struct heel_buffer *to, const char *pattern, const struct model_method *method)
{
    for (const char *c = pattern; *c; c++) {
        if (*c != '$') {
            heel_buffer_append(to, c, 1);
            continue;
        }
        switch (*++c) {
        case 'Q':
            heel_buffer_append_text(to, method->request_type);
            break;
        case 'S':
            heel_buffer_append_text(to, method->response_type);
            break;
        case 'N':
            heel_buffer_append_text(to, method->name);
            break;
        case 'M':
            heel_buffer_printf(to, "%s_method", method->name);
            break;
        default:
            abort();
        }
    }
}

/* Appends a list whose elements are separated by ", " in lines of this indent, each as full as it
 * may be; `after` is what follows the list. */
static void append_lines(struct heel_buffer *to, const char *list, size_t indent, const char *after)
{
    size_t column = 0;

    for (const char *at = list; *at;) {
        const char *comma = strstr(at, ", ");
        size_t length = comma ? (size_t)(comma - at) + 1 : strlen(at);
        size_t needed = comma ? length : length + strlen(after);

        if (!column || column + 1 + needed > COLUMNS) {
            heel_buffer_printf(to, "\n%*s", (int)indent, "");
            column = indent;
        } else {
            heel_buffer_append_text(to, " ");
            column++;
        }
        heel_buffer_append(to, at, length);
        column += length;
        at += length + (comma ? 1 : 0);
    }
}

/* Appends `head`, the list and `after`: in one line where that fits, else the list in lines of its
 * own. */
static void append_call(struct heel_buffer *to, const char *head, const char *list, size_t indent,
                        const char *after)
{
    heel_buffer_append_text(to, head);
    if (strlen(head) + strlen(list) + strlen(after) <= COLUMNS)
        heel_buffer_append_text(to, list);
    else
        append_lines(to, list, indent, after);
    heel_buffer_append_text(to, after);
}

void emit_prototype(struct heel_buffer *to, const struct function *function,
                    const struct model_method *method)
{
    heel_autobuffer struct heel_buffer parameters = {0};
    heel_autofree char *head =
        heel_format("%s%s%s(", function->result, method->name, function->suffix);

    expand(&parameters, function->parameters, method);
    append_call(to, head, parameters.data, 4, ")");
}

void emit_body(struct heel_buffer *to, const struct function *function,
               const struct model_method *method)
{
    heel_autobuffer struct heel_buffer arguments = {0};
    const char *verb = strcmp(function->result, "void ") == 0 ? "" : "return ";
    heel_autofree char *head = heel_format("    %s%s(", verb, function->callee);

    expand(&arguments, function->arguments, method);
    append_call(to, head, arguments.data, 8, ");\n");
}
