#include "clients/c/libheel/terminal_modes.h"

#include <string.h>

#include "base/cleanup.h"

enum state { GROUND, ESCAPE, CONTROL };

/* DEC private modes. */
static const struct mode {
    uint16_t number;
    bool normally_on;
} table[] = {
    /* The alternate screens come last, so that what belongs to a screen is undone on it. */
    {1, false},    /* application cursor keys */
    {7, true},     /* lines wrap */
    {9, false},    /* mouse reports, here and up to 1016 */
    {25, true},    /* the cursor shows */
    {66, false},   /* application keypad */
    {1000, false}, /* … */
    {1001, false}, /* … */
    {1002, false}, /* … */
    {1003, false}, /* … */
    {1004, false}, /* focus reports */
    {1005, false}, /* mouse */
    {1006, false}, /* … */
    {1015, false}, /* … */
    {1016, false}, /* … */
    {2004, false}, /* bracketed paste */
    {2026, false}, /* nothing is drawn until it ends */
    {47, false},   /* alternate screens */
    {1047, false}, /* … */
    {1049, false}, /* … */
};

_Static_assert(HEEL_ARRAY_LENGTH(table) <= 32, "one bit of `changed` each");

/* ---- reading ---- */

static void set_mode(struct terminal_modes *modes, unsigned number, bool on)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(table); i++)
        if (table[i].number == number && on != table[i].normally_on)
            modes->changed |= UINT32_C(1) << i;
        else if (table[i].number == number)
            modes->changed &= ~(UINT32_C(1) << i);
}

static void end_control(struct terminal_modes *modes, char final)
{
    if (modes->prefix == '?' && (final == 'h' || final == 'l'))
        for (size_t i = 0; i < modes->count; i++)
            set_mode(modes, modes->parameters[i], final == 'h');
    else if (modes->prefix == '>' && final == 'm' && modes->parameters[0] == 4)
        modes->other_keys = modes->count > 1 && modes->parameters[1] > 0;
    else if (!modes->prefix && final == 'r')
        modes->region = modes->count > 1 || modes->parameters[0] > 0;
}

static int see_escape(struct terminal_modes *modes, char byte)
{
    if (byte == '[') {
        modes->prefix = 0;
        modes->count = 1;
        memset(modes->parameters, 0, sizeof(modes->parameters));
        return CONTROL;
    }
    if (byte == 'c') { /* a full reset */
        modes->changed = 0;
        modes->region = modes->other_keys = false;
    }
    return byte == '\033' ? ESCAPE : GROUND;
}

static int see_control(struct terminal_modes *modes, char byte)
{
    unsigned *parameter = &modes->parameters[modes->count - 1];

    if (byte == '\033')
        return ESCAPE;
    if (byte >= '0' && byte <= '9') {
        if (*parameter < UINT16_MAX)
            *parameter = *parameter * 10 + (unsigned)(byte - '0');
        return CONTROL;
    }
    if (byte == ';') {
        modes->count += modes->count < TERMINAL_PARAMETERS_MAX;
        modes->parameters[modes->count - 1] = 0;
        return CONTROL;
    }
    if (byte >= '@') {
        end_control(modes, byte);
        return GROUND;
    }
    if (byte >= ' ') /* '<', '=', '>', '?', or an intermediate byte: a sequence of another kind */
        modes->prefix = byte;
    return CONTROL;
}

void terminal_modes_see(struct terminal_modes *modes, const char *bytes, size_t length)
{
    const char *end = bytes + length;

    while (bytes < end) {
        if (modes->state == GROUND) {
            bytes = memchr(bytes, '\033', (size_t)(end - bytes));
            if (!bytes)
                return;
            modes->state = ESCAPE;
            bytes++;
        } else if (modes->state == ESCAPE) {
            modes->state = see_escape(modes, *bytes++);
        } else {
            modes->state = see_control(modes, *bytes++);
        }
    }
}

/* ---- writing ---- */

static char *put_text(char *to, const char *text)
{
    size_t length = strlen(text);

    memcpy(to, text, length);
    return to + length;
}

static char *put_mode(char *to, unsigned number, bool on)
{
    char digits[8];
    size_t count = 0;

    for (; number; number /= 10)
        digits[count++] = (char)('0' + number % 10);
    to = put_text(to, "\033[?");
    while (count)
        *to++ = digits[--count];
    *to++ = on ? 'h' : 'l';
    return to;
}

static char *put_modes(const struct terminal_modes *modes, char *to, bool changed)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(table); i++)
        if (modes->changed & UINT32_C(1) << i)
            to = put_mode(to, table[i].number, table[i].normally_on != changed);
    return to;
}

size_t terminal_modes_undo(const struct terminal_modes *modes, char *to)
{
    char *at = to;

    if (modes->state != GROUND)
        at = put_text(at, "\030"); /* ends a sequence that was cut off */
    if (modes->other_keys)
        at = put_text(at, "\033[>4m");
    if (modes->region) /* setting it moves the cursor */
        at = put_text(at, "\0337\033[r\0338");
    at = put_modes(modes, at, false);
    /* Numeric keypad, colours, character set: harmless where they are so already. */
    at = put_text(at, "\033>\033[0m\033(B\017");
    return (size_t)(at - to);
}

size_t terminal_modes_redo(const struct terminal_modes *modes, char *to)
{
    char *at = to;

    if (modes->other_keys)
        at = put_text(at, "\033[>4;2m");
    return (size_t)(put_modes(modes, at, true) - to);
}
