#include "proto/runtime/json_reader.h"

#include <string.h>

#include "proto/runtime/json_number.h"

#define INVALID_ARGUMENT 3

void grpcc_json_reader_init(struct grpcc_json_reader *reader, const char *text, size_t length)
{
    *reader = (struct grpcc_json_reader){
        .text = text, .at = text, .end = text + length, .token = text};
}

void grpcc_json_reader_clear(struct grpcc_json_reader *reader)
{
    heel_buffer_free(&reader->string);
    heel_buffer_free(&reader->path);
    grpcc_status_free(heel_steal(reader->status));
}

/* Both count from 1; a column is a character. */
static void locate(const struct grpcc_json_reader *reader, size_t *line, size_t *column)
{
    *line = *column = 1;
    for (const char *at = reader->text; at < reader->token; at++) {
        if (*at == '\n') {
            (*line)++;
            *column = 1;
        } else if ((*at & 0xc0) != 0x80) {
            (*column)++;
        }
    }
}

int grpcc_json_fail(struct grpcc_json_reader *reader, const char *format, ...)
{
    heel_autofree char *problem = NULL, *message = NULL;
    bool in_field = reader->path.length > 0;
    size_t line, column;
    va_list arguments;

    if (reader->status)
        return -1;
    va_start(arguments, format);
    problem = heel_vformat(format, arguments);
    va_end(arguments);
    locate(reader, &line, &column);
    message = heel_format("line %zu, column %zu: %s %s", line, column,
                          in_field ? reader->path.data : "the message", problem);
    reader->status = grpcc_status_new(INVALID_ARGUMENT, message);
    grpcc_status_set_info(reader->status, GRPCC_STATUS_DOMAIN, "INVALID_MESSAGE");
    if (in_field)
        grpcc_status_add_field(reader->status, reader->path.data, problem);
    return -1;
}

static void skip_space(struct grpcc_json_reader *reader)
{
    while (reader->at < reader->end && strchr(" \t\n\r", *reader->at) && *reader->at)
        reader->at++;
    reader->token = reader->at;
}

enum grpcc_json_kind grpcc_json_peek(struct grpcc_json_reader *reader)
{
    skip_space(reader);
    if (reader->at == reader->end)
        return GRPCC_JSON_IS_BROKEN;
    switch (*reader->at) {
    case 'n':
        return GRPCC_JSON_IS_NULL;
    case 't':
    case 'f':
        return GRPCC_JSON_IS_BOOL;
    case '"':
        return GRPCC_JSON_IS_STRING;
    case '[':
        return GRPCC_JSON_IS_ARRAY;
    case '{':
        return GRPCC_JSON_IS_OBJECT;
    default:
        return *reader->at == '-' || (*reader->at >= '0' && *reader->at <= '9')
                   ? GRPCC_JSON_IS_NUMBER
                   : GRPCC_JSON_IS_BROKEN;
    }
}

/* Where the text stops being JSON. */
static int fail_syntax(struct grpcc_json_reader *reader, const char *wanted)
{
    if (reader->at == reader->end)
        return grpcc_json_fail(reader, "is cut short: expected %s", wanted);
    return grpcc_json_fail(reader, "is no valid JSON: expected %s", wanted);
}

/* Where a value of `kind` was asked for: another kind begins here, or none. */
static int fail_value(struct grpcc_json_reader *reader, enum grpcc_json_kind kind,
                      const char *wanted)
{
    enum grpcc_json_kind found = grpcc_json_peek(reader);

    if (found == GRPCC_JSON_IS_BROKEN || found == kind)
        return fail_syntax(reader, wanted);
    return grpcc_json_fail(reader, "must be %s", wanted);
}

static bool is_word(char letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_';
}

static bool take_word(struct grpcc_json_reader *reader, const char *word)
{
    size_t length = strlen(word), left = (size_t)(reader->end - reader->at);

    if (left < length || memcmp(reader->at, word, length) != 0 ||
        (left > length && is_word(reader->at[length])))
        return false;
    reader->at += length;
    return true;
}

int grpcc_json_read_null(struct grpcc_json_reader *reader)
{
    skip_space(reader);
    return take_word(reader, "null") ? 0 : fail_value(reader, GRPCC_JSON_IS_NULL, "null");
}

int grpcc_json_read_bool(struct grpcc_json_reader *reader, bool *value)
{
    bool is_true;

    skip_space(reader);
    is_true = take_word(reader, "true");
    if (!is_true && !take_word(reader, "false"))
        return fail_value(reader, GRPCC_JSON_IS_BOOL, "true or false");
    *value = is_true;
    return 0;
}

int grpcc_json_read_number(struct grpcc_json_reader *reader, const char **number, size_t *length)
{
    size_t taken;

    skip_space(reader);
    taken = grpcc_json_scan_number(reader->at, (size_t)(reader->end - reader->at));
    if (taken == 0 || (reader->at + taken < reader->end && is_word(reader->at[taken])))
        return fail_value(reader, GRPCC_JSON_IS_NUMBER, "a number");
    *number = reader->at;
    *length = taken;
    reader->at += taken;
    return 0;
}

/* ---- strings ---- */

/* Four hexadecimal digits. */
static int read_code_unit(struct grpcc_json_reader *reader, unsigned *unit)
{
    unsigned sum = 0;

    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *digit = reader->at < reader->end && *reader->at ? strchr(digits, *reader->at)
                                                                    : NULL;
        unsigned value;

        if (!digit)
            return fail_syntax(reader, "four hexadecimal digits after \\u");
        value = (unsigned)(digit - digits);
        sum = sum * 16 + (value > 15 ? value - 6 : value);
        reader->at++;
    }
    *unit = sum;
    return 0;
}

static void append_utf8(struct heel_buffer *to, unsigned code)
{
    char bytes[4];
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = length - 1; i > 0; i--) {
        bytes[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    bytes[0] = (char)(lead[length] | code);
    heel_buffer_append(to, bytes, length);
}

/* After "\u". Beyond U+FFFF a character is a pair of surrogates, and half a pair is none. */
static int read_unicode_escape(struct grpcc_json_reader *reader)
{
    unsigned high, low;

    if (read_code_unit(reader, &high))
        return -1;
    if (high < 0xd800 || high > 0xdfff) {
        append_utf8(&reader->string, high);
        return 0;
    }
    if (high > 0xdbff || reader->end - reader->at < 2 || memcmp(reader->at, "\\u", 2) != 0)
        return grpcc_json_fail(reader, "holds half a surrogate pair");
    reader->at += 2;
    if (read_code_unit(reader, &low))
        return -1;
    if (low < 0xdc00 || low > 0xdfff)
        return grpcc_json_fail(reader, "holds half a surrogate pair");
    append_utf8(&reader->string, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
    return 0;
}

/* After the backslash. */
static int read_escape(struct grpcc_json_reader *reader)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter;

    if (reader->at == reader->end)
        return fail_syntax(reader, "an escape sequence");
    if (*reader->at == 'u') {
        reader->at++;
        return read_unicode_escape(reader);
    }
    letter = *reader->at ? strchr(letters, *reader->at) : NULL;
    if (!letter)
        return fail_syntax(reader, "a known escape sequence");
    heel_buffer_append(&reader->string, &meanings[letter - letters], 1);
    reader->at++;
    return 0;
}

/* One character, escaped or not, or a run of plain ASCII. */
static int read_characters(struct grpcc_json_reader *reader)
{
    size_t left = (size_t)(reader->end - reader->at), run = 0;

    while (run < left && reader->at[run] >= 0x20 && reader->at[run] < 0x7f &&
           reader->at[run] != '"' && reader->at[run] != '\\')
        run++;
    if (run == 0 && *reader->at == '\\') {
        reader->at++;
        return read_escape(reader);
    }
    if (run == 0 && (unsigned char)*reader->at < 0x20)
        return grpcc_json_fail(reader, "holds a control character that isn't escaped");
    if (run == 0)
        run = heel_utf8_sequence(reader->at, left);
    if (run == 0)
        return grpcc_json_fail(reader, "is not UTF-8");
    heel_buffer_append(&reader->string, reader->at, run);
    reader->at += run;
    return 0;
}

int grpcc_json_read_string(struct grpcc_json_reader *reader)
{
    skip_space(reader);
    if (reader->at == reader->end || *reader->at != '"')
        return fail_value(reader, GRPCC_JSON_IS_STRING, "a string");
    reader->at++;
    reader->string.length = 0;
    heel_buffer_append(&reader->string, "", 0);
    while (reader->at < reader->end && *reader->at != '"')
        if (read_characters(reader))
            return -1;
    if (reader->at == reader->end)
        return fail_syntax(reader, "the end of the string");
    reader->at++;
    return 0;
}

/* ---- arrays and objects ---- */

static bool take(struct grpcc_json_reader *reader, char letter)
{
    skip_space(reader);
    if (reader->at == reader->end || *reader->at != letter)
        return false;
    reader->at++;
    return true;
}

int grpcc_json_begin(struct grpcc_json_reader *reader, const char *brackets, bool *first)
{
    if (!take(reader, brackets[0]))
        return brackets[0] == '[' ? fail_value(reader, GRPCC_JSON_IS_ARRAY, "an array")
                                  : fail_value(reader, GRPCC_JSON_IS_OBJECT, "an object");
    if (reader->depth == GRPCC_JSON_MAX_DEPTH)
        return grpcc_json_fail(reader, "is nested too deeply");
    reader->depth++;
    *first = true;
    return 0;
}

int grpcc_json_next(struct grpcc_json_reader *reader, const char *brackets, bool *first)
{
    if (take(reader, brackets[1])) {
        reader->depth--;
        return 0;
    }
    if (!*first && !take(reader, ','))
        return fail_syntax(reader, brackets[0] == '[' ? "\",\" or \"]\"" : "\",\" or \"}\"");
    if (!*first && grpcc_json_peek(reader) == GRPCC_JSON_IS_BROKEN)
        return fail_syntax(reader, "a value after \",\"");
    *first = false;
    return 1;
}

int grpcc_json_read_key(struct grpcc_json_reader *reader)
{
    const char *key;

    if (grpcc_json_peek(reader) != GRPCC_JSON_IS_STRING)
        return fail_syntax(reader, "a name in quotes");
    key = reader->at;
    if (grpcc_json_read_string(reader))
        return -1;
    if (!take(reader, ':'))
        return fail_syntax(reader, "\":\"");
    reader->token = key;
    return 0;
}

int grpcc_json_end(struct grpcc_json_reader *reader)
{
    skip_space(reader);
    return reader->at == reader->end ? 0 : grpcc_json_fail(reader, "has something after its end");
}
