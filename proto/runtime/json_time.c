#include "proto/runtime/json_time.h"

#include <inttypes.h>
#include <string.h>

#define SECONDS_PER_DAY 86400
#define NANOS_PER_SECOND 1000000000
#define LONGEST_DURATION INT64_C(315576000000)
#define FIRST_TIMESTAMP INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define LAST_TIMESTAMP INT64_C(253402300799)  /* 9999-12-31T23:59:59Z */

/* ---- writing ---- */

/* Nothing, or a point with 3, 6 or 9 digits. */
static void format_fraction(int32_t nanos, struct heel_buffer *to)
{
    if (nanos == 0)
        return;
    if (nanos % 1000000 == 0)
        heel_buffer_printf(to, ".%03d", nanos / 1000000);
    else if (nanos % 1000 == 0)
        heel_buffer_printf(to, ".%06d", nanos / 1000);
    else
        heel_buffer_printf(to, ".%09d", nanos);
}

static bool is_duration(int64_t seconds, int32_t nanos)
{
    bool in_range = seconds >= -LONGEST_DURATION && seconds <= LONGEST_DURATION &&
                    nanos > -NANOS_PER_SECOND && nanos < NANOS_PER_SECOND;

    return in_range && !(seconds > 0 && nanos < 0) && !(seconds < 0 && nanos > 0);
}

bool grpcc_json_format_duration(int64_t seconds, int32_t nanos, struct heel_buffer *to)
{
    bool negative = seconds < 0 || nanos < 0;

    if (!is_duration(seconds, nanos))
        return false;
    heel_buffer_printf(to, "%s%" PRId64, negative ? "-" : "", negative ? -seconds : seconds);
    format_fraction(negative ? -nanos : nanos, to);
    heel_buffer_append_text(to, "s");
    return true;
}

/* The proleptic Gregorian calendar, in years that begin in March, so that the leap day comes last;
 * 400 of them are 146,097 days. Day 0 is 0000-03-01. */
#define DAYS_TO_1970 INT64_C(719468)

static void date_of_day(int64_t day, int *year, int *month, int *day_of_month)
{
    int64_t era = day / 146097, in_era = day % 146097;
    int64_t year_of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * in_year + 2) / 153;

    *day_of_month = (int)(in_year - (153 * march_month + 2) / 5 + 1);
    *month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
    *year = (int)(era * 400 + year_of_era + (*month <= 2));
}

static int64_t day_of_date(int year, int month, int day_of_month)
{
    int64_t march_year = month <= 2 ? year - 1 : year;
    int64_t march_month = month <= 2 ? month + 9 : month - 3;

    return march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 +
           (153 * march_month + 2) / 5 + day_of_month - 1;
}

bool grpcc_json_format_timestamp(int64_t seconds, int32_t nanos, struct heel_buffer *to)
{
    int year, month, day;
    int64_t days, rest;

    if (seconds < FIRST_TIMESTAMP || seconds > LAST_TIMESTAMP || nanos < 0 ||
        nanos >= NANOS_PER_SECOND)
        return false;
    rest = seconds + DAYS_TO_1970 * SECONDS_PER_DAY;
    days = rest / SECONDS_PER_DAY;
    rest %= SECONDS_PER_DAY;
    date_of_day(days, &year, &month, &day);
    heel_buffer_printf(to, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day, (int)(rest / 3600),
                       (int)(rest / 60 % 60), (int)(rest % 60));
    format_fraction(nanos, to);
    heel_buffer_append_text(to, "Z");
    return true;
}

/* ---- reading ---- */

static bool is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

/* Exactly `count` digits. Moves *at on. */
static bool read_digits(const char **at, int count, int *value)
{
    int sum = 0;

    for (int i = 0; i < count; i++) {
        if (!is_digit(**at))
            return false;
        sum = sum * 10 + (*(*at)++ - '0');
    }
    *value = sum;
    return true;
}

static bool read_letter(const char **at, char letter)
{
    if (**at != letter)
        return false;
    (*at)++;
    return true;
}

/* Nothing, or a point and 1 to 9 digits. */
static bool read_fraction(const char **at, int32_t *nanos)
{
    int digits = 0;

    *nanos = 0;
    if (!read_letter(at, '.'))
        return true;
    for (; is_digit(**at); digits++) {
        if (digits == 9)
            return false;
        *nanos = *nanos * 10 + (*(*at)++ - '0');
    }
    for (int i = digits; i < 9; i++)
        *nanos *= 10;
    return digits > 0;
}

bool grpcc_json_parse_duration(const char *text, int64_t *seconds, int32_t *nanos)
{
    bool negative = read_letter(&text, '-');
    int64_t whole = 0;
    int32_t fraction;

    if (!is_digit(*text))
        return false;
    for (; is_digit(*text); text++) {
        whole = whole * 10 + (*text - '0');
        if (whole > LONGEST_DURATION)
            return false;
    }
    if (!read_fraction(&text, &fraction) || strcmp(text, "s") != 0)
        return false;
    *seconds = negative ? -whole : whole;
    *nanos = negative ? -fraction : fraction;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

static bool read_date(const char **at, int64_t *day)
{
    int year, month, day_of_month;

    if (!read_digits(at, 4, &year) || !read_letter(at, '-') || !read_digits(at, 2, &month) ||
        !read_letter(at, '-') || !read_digits(at, 2, &day_of_month))
        return false;
    if (year < 1 || month < 1 || month > 12 || day_of_month < 1 ||
        day_of_month > days_in_month(year, month))
        return false;
    *day = day_of_date(year, month, day_of_month) - DAYS_TO_1970;
    return true;
}

/* "09:30", in seconds. */
static bool read_hour_and_minute(const char **at, int *seconds)
{
    int hour, minute;

    if (!read_digits(at, 2, &hour) || !read_letter(at, ':') || !read_digits(at, 2, &minute) ||
        hour > 23 || minute > 59)
        return false;
    *seconds = hour * 3600 + minute * 60;
    return true;
}

/* Z, or how far local time is ahead of it. */
static bool read_zone(const char **at, int *offset)
{
    bool west;

    *offset = 0;
    if (read_letter(at, 'Z'))
        return true;
    west = **at == '-';
    if (!read_letter(at, west ? '-' : '+') || !read_hour_and_minute(at, offset))
        return false;
    if (west)
        *offset = -*offset;
    return true;
}

bool grpcc_json_parse_timestamp(const char *text, int64_t *seconds, int32_t *nanos)
{
    int in_day, second, offset;
    int32_t fraction;
    int64_t day, sum;

    if (!read_date(&text, &day) || !read_letter(&text, 'T') ||
        !read_hour_and_minute(&text, &in_day) || !read_letter(&text, ':') ||
        !read_digits(&text, 2, &second) || second > 59)
        return false;
    if (!read_fraction(&text, &fraction) || !read_zone(&text, &offset) || *text != '\0')
        return false;
    sum = day * SECONDS_PER_DAY + in_day + second - offset;
    if (sum < FIRST_TIMESTAMP || sum > LAST_TIMESTAMP)
        return false;
    *seconds = sum;
    *nanos = fraction;
    return true;
}
