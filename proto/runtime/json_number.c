#include "proto/runtime/json_number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t scan_digits(const char *text, size_t length)
{
    size_t count = 0;

    while (count < length && text[count] >= '0' && text[count] <= '9')
        count++;
    return count;
}

/* The length with the fraction that starts at `at`, or `at` if none does; 0 if it is malformed. */
static size_t scan_fraction(const char *text, size_t length, size_t at)
{
    size_t digits;

    if (at >= length || text[at] != '.')
        return at;
    digits = scan_digits(text + at + 1, length - at - 1);
    return digits ? at + 1 + digits : 0;
}

static size_t scan_exponent(const char *text, size_t length, size_t at)
{
    size_t digits;

    if (at == 0 || at >= length || (text[at] != 'e' && text[at] != 'E'))
        return at;
    at++;
    if (at < length && (text[at] == '+' || text[at] == '-'))
        at++;
    digits = scan_digits(text + at, length - at);
    return digits ? at + digits : 0;
}

size_t grpcc_json_scan_number(const char *text, size_t length)
{
    size_t at = length > 0 && text[0] == '-';
    size_t digits = scan_digits(text + at, length - at);

    if (digits == 0 || (digits > 1 && text[at] == '0'))
        return 0;
    return scan_exponent(text, length, scan_fraction(text, length, at + digits));
}

/* The exponent after the mantissa; one of a billion stands for all beyond it. */
static int64_t read_exponent(const char *text, size_t length)
{
    const int64_t enough = 1000000000;
    bool negative = length > 1 && text[1] == '-';
    int64_t exponent = 0;

    for (size_t i = 1; i < length; i++)
        if (text[i] >= '0' && text[i] <= '9' && exponent < enough)
            exponent = exponent * 10 + (text[i] - '0');
    return negative ? -exponent : exponent;
}

static bool append_digit(uint64_t *value, unsigned digit)
{
    return !__builtin_mul_overflow(*value, 10, value) &&
           !__builtin_add_overflow(*value, digit, value);
}

bool grpcc_json_to_integer(const char *text, size_t length, bool *negative, uint64_t *magnitude)
{
    size_t start = text[0] == '-', mantissa = start;
    int64_t before_point; /* how many digits, zeros appended to the mantissa included */
    uint64_t value = 0;

    while (mantissa < length && text[mantissa] != 'e' && text[mantissa] != 'E')
        mantissa++;
    before_point = (int64_t)scan_digits(text + start, mantissa - start) +
                   read_exponent(text + mantissa, length - mantissa);
    for (size_t i = start; i < mantissa; i++) {
        if (text[i] == '.')
            continue;
        if (before_point-- > 0 ? !append_digit(&value, (unsigned)(text[i] - '0')) : text[i] != '0')
            return false;
    }
    for (; before_point > 0 && value > 0; before_point--)
        if (!append_digit(&value, 0))
            return false;
    *negative = start != 0;
    *magnitude = value;
    return true;
}

/* The C locale, in which the decimal point is a point. Free it. glibc keeps one for all callers, so
 * this costs nothing. */
static locale_t c_locale(void)
{
    locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);

    if (!locale)
        abort();
    return locale;
}

bool grpcc_json_to_double(const char *text, size_t length, double *value)
{
    heel_autofree char *copy = heel_format("%.*s", (int)length, text);
    locale_t locale = c_locale();
    double result = strtod_l(copy, NULL, locale);

    freelocale(locale);
    if (isinf(result))
        return false;
    *value = result;
    return true;
}

bool grpcc_json_to_float(const char *text, size_t length, float *value)
{
    heel_autofree char *copy = heel_format("%.*s", (int)length, text);
    locale_t locale = c_locale();
    float result = strtof_l(copy, NULL, locale);

    freelocale(locale);
    if (isinf(result))
        return false;
    *value = result;
    return true;
}

static bool print_special(double value, struct heel_buffer *to)
{
    if (isfinite(value))
        return false;
    if (isnan(value))
        heel_buffer_append_text(to, "\"NaN\"");
    else
        heel_buffer_append_text(to, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    return true;
}

/* Tries one digit more until `is_same` says that the text reads back as the value. */
static void print_shortest(double value, int least, int most,
                           bool (*is_same)(const char *text, double value), struct heel_buffer *to)
{
    locale_t locale = c_locale(), previous = uselocale(locale);
    char text[40];

    for (int digits = least; digits <= most; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (is_same(text, value))
            break;
    }
    uselocale(previous);
    freelocale(locale);
    heel_buffer_append_text(to, text);
}

/* Equality is meant: the text must stand for this very value. */
static bool is_same_double(const char *text, double value)
{
    double read = strtod(text, NULL);

    return memcmp(&read, &value, sizeof(value)) == 0;
}

static bool is_same_float(const char *text, double value)
{
    float read = strtof(text, NULL), expected = (float)value;

    return memcmp(&read, &expected, sizeof(expected)) == 0;
}

void grpcc_json_print_double(double value, struct heel_buffer *to)
{
    if (!print_special(value, to))
        print_shortest(value, 15, 17, is_same_double, to);
}

void grpcc_json_print_float(float value, struct heel_buffer *to)
{
    if (!print_special(value, to))
        print_shortest(value, 6, 9, is_same_float, to);
}
