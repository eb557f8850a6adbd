#include "proto/generator/names.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}
static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static char to_upper(char c)
{
    return is_lower(c) ? (char)(c - 'a' + 'A') : c;
}
static char to_lower(char c)
{
    return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

static void append_char(struct heel_buffer *buffer, char c)
{
    heel_buffer_append(buffer, &c, 1);
}

char *names_message_type(const char *full_name)
{
    struct heel_buffer result = {0};
    bool word_starts = true;

    heel_buffer_append_text(&result, "");
    for (const char *c = full_name; *c; c++) {
        if (*c == '.') {
            if (result.length)
                heel_buffer_append_text(&result, "__");
            word_starts = true;
        } else if (*c == '_') {
            word_starts = true;
        } else {
            append_char(&result, word_starts ? to_upper(*c) : *c);
            word_starts = false;
        }
    }
    return result.data;
}

char *names_message_stem(const char *full_name)
{
    struct heel_buffer result = {0};
    bool after_upper = true;

    heel_buffer_append_text(&result, "");
    for (const char *c = full_name; *c; c++) {
        if (*c == '.') {
            if (result.length)
                heel_buffer_append_text(&result, "__");
            after_upper = true;
            continue;
        }
        if (is_upper(*c) && !after_upper)
            append_char(&result, '_');
        append_char(&result, to_lower(*c));
        after_upper = is_upper(*c);
    }
    return result.data;
}

char *names_file_stem(const char *proto)
{
    static const char *const suffixes[] = {".protodevel", ".proto"};
    size_t length = strlen(proto);

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(suffixes); i++) {
        size_t suffix = strlen(suffixes[i]);

        if (length > suffix && strcmp(proto + length - suffix, suffixes[i]) == 0)
            return heel_format("%.*s", (int)(length - suffix), proto);
    }
    return heel_xstrdup(proto);
}

/* Whether a word begins at `c`, which is not the first character. */
static bool starts_word(const char *c)
{
    if (!is_upper(c[0]))
        return false;
    if (is_lower(c[-1]) || is_digit(c[-1]))
        return true;
    return is_upper(c[-1]) && is_lower(c[1]);
}

char *names_snake(const char *name)
{
    struct heel_buffer result = {0};

    heel_buffer_append_text(&result, "");
    for (const char *c = name; *c; c++) {
        if (c > name && starts_word(c))
            append_char(&result, '_');
        append_char(&result, *c == '.' ? '_' : to_lower(*c));
    }
    return result.data;
}
