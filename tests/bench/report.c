#include "tests/bench/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/text.h"

struct row {
    const char *measurement;
    struct result result;
};

/* What has no numbers. */
struct remark {
    const char *measurement;
    const char *kind; /* "skipped" or "failed" */
    char *why;        /* owned */
};

struct report {
    struct row *rows; /* owned */
    size_t row_count;
    struct remark *remarks; /* owned */
    size_t remark_count;
};

struct report *report_new(void)
{
    return heel_xcalloc(1, sizeof(struct report));
}

void report_free(struct report *report)
{
    for (size_t i = 0; i < report->row_count; i++)
        free(report->rows[i].result.note);
    for (size_t i = 0; i < report->remark_count; i++)
        free(report->remarks[i].why);
    free(report->rows);
    free(report->remarks);
    free(report);
}

void report_add(struct report *report, const char *measurement, struct result result)
{
    report->rows = heel_xrealloc(report->rows, report->row_count + 1, sizeof *report->rows);
    report->rows[report->row_count++] = (struct row){measurement, result};
}

static void add_remark(struct report *report, const char *measurement, const char *kind,
                       const char *why)
{
    report->remarks =
        heel_xrealloc(report->remarks, report->remark_count + 1, sizeof *report->remarks);
    report->remarks[report->remark_count++] = (struct remark){measurement, kind, heel_xstrdup(why)};
}

void report_skip(struct report *report, const char *measurement, const char *why)
{
    add_remark(report, measurement, "skipped", why);
}

void report_failure(struct report *report, const char *measurement, const char *why)
{
    add_remark(report, measurement, "failed", why);
}

bool report_has_failures(const struct report *report)
{
    for (size_t i = 0; i < report->remark_count; i++)
        if (strcmp(report->remarks[i].kind, "failed") == 0)
            return true;
    return false;
}

static bool is_met(const struct result *result)
{
    double limit = result->target->limit;

    return result->target->kind == TARGET_AT_LEAST ? result->value >= limit
                                                   : result->value <= limit;
}

/* How far from the target, in percent of it. */
static double missed_by(const struct result *result)
{
    double percent = (result->value / result->target->limit - 1) * 100;

    return result->target->kind == TARGET_AT_LEAST ? -percent : percent;
}

/* ---- the table ---- */

static bool is_ratio(const struct result *result)
{
    return strcmp(result->target->unit, "x") == 0;
}

/* Ratios, then what has a target, then the rest. */
static int rank(const struct result *result)
{
    if (is_ratio(result))
        return 0;
    return result->target->kind == TARGET_NONE ? 2 : 1;
}

static char *quantity(double value, const char *unit)
{
    int decimals = value < 10 ? 2 : value < 100 ? 1 : 0;

    return heel_format("%.*f%s%s", decimals, value, strcmp(unit, "x") == 0 ? "" : " ", unit);
}

static char *verdict(const struct result *result)
{
    if (result->target->kind == TARGET_NONE)
        return heel_xstrdup("");
    if (is_met(result))
        return heel_xstrdup("met");
    return heel_format("missed by %.0f %%", missed_by(result));
}

static char *wanted(const struct target *target)
{
    heel_autofree char *limit = quantity(target->limit, target->unit);

    if (target->kind == TARGET_NONE)
        return heel_xstrdup("");
    return heel_format("%s %s", target->kind == TARGET_AT_LEAST ? ">=" : "<=", limit);
}

static char *percentile(const struct spread *spread, double value, const char *unit)
{
    return spread->count > 0 ? quantity(value, unit) : heel_xstrdup("");
}

static void print_row(const struct row *row)
{
    const struct result *result = &row->result;
    const char *unit = result->spread_unit;
    heel_autofree char *value = quantity(result->value, result->target->unit);
    heel_autofree char *target = wanted(result->target);
    heel_autofree char *outcome = verdict(result);
    heel_autofree char *p50 = percentile(&result->own, result->own.p50, unit);
    heel_autofree char *p99 = percentile(&result->own, result->own.p99, unit);
    heel_autofree char *base50 = percentile(&result->base, result->base.p50, unit);
    heel_autofree char *base99 = percentile(&result->base, result->base.p99, unit);

    printf("%11s  %-12s %-15s %-8s %-46s %10s %10s", value, target, outcome, row->measurement,
           result->target->what, p50, p99);
    if (result->against)
        printf("  %-24s %10s %10s", result->against, base50, base99);
    if (result->note)
        printf("%s  (%s)", result->against ? "" : " ", result->note);
    putchar('\n');
}

void report_print(const struct report *report)
{
    printf("%11s  %-12s %-15s %-8s %-46s %10s %10s  %-24s %10s %10s\n", "result", "target", "",
           "name", "what", "p50", "p99", "against", "p50", "p99");
    for (int group = 0; group <= 2; group++)
        for (size_t i = 0; i < report->row_count; i++)
            if (rank(&report->rows[i].result) == group)
                print_row(&report->rows[i]);
    for (size_t i = 0; i < report->remark_count; i++)
        printf("%11s  %s: %s\n", report->remarks[i].kind, report->remarks[i].measurement,
               report->remarks[i].why);
}

/* ---- JSON ---- */

/* Only ASCII and UTF-8 come here: our own words, and messages of servers that checked theirs. */
static void put_string(struct heel_buffer *json, const char *text)
{
    heel_buffer_append_text(json, "\"");
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20)
            heel_buffer_printf(json, "\\u%04x", *text);
        else if (*text == '"' || *text == '\\')
            heel_buffer_printf(json, "\\%c", *text);
        else
            heel_buffer_append(json, text, 1);
    }
    heel_buffer_append_text(json, "\"");
}

static void put_text(struct heel_buffer *json, const char *key, const char *text)
{
    heel_buffer_printf(json, ",\"%s\":", key);
    put_string(json, text);
}

static void put_spread(struct heel_buffer *json, const char *key, const struct spread *spread,
                       const char *unit)
{
    if (spread->count == 0)
        return;
    heel_buffer_printf(json, ",\"%s\":{\"count\":%zu,\"p50\":%.6g,\"p99\":%.6g", key, spread->count,
                       spread->p50, spread->p99);
    put_text(json, "unit", unit);
    heel_buffer_append_text(json, "}");
}

static void put_row(struct heel_buffer *json, const struct row *row)
{
    const struct result *result = &row->result;

    heel_buffer_append_text(json, "{\"measurement\":");
    put_string(json, row->measurement);
    put_text(json, "what", result->target->what);
    heel_buffer_printf(json, ",\"value\":%.6g", result->value);
    put_text(json, "unit", result->target->unit);
    if (result->target->kind != TARGET_NONE)
        heel_buffer_printf(json, ",\"%s\":%.6g,\"met\":%s",
                           result->target->kind == TARGET_AT_LEAST ? "at_least" : "at_most",
                           result->target->limit, is_met(result) ? "true" : "false");
    put_spread(json, "own", &result->own, result->spread_unit);
    if (result->against)
        put_text(json, "against", result->against);
    put_spread(json, "base", &result->base, result->spread_unit);
    if (result->note)
        put_text(json, "note", result->note);
    heel_buffer_append_text(json, "}");
}

static void put_remark(struct heel_buffer *json, const struct remark *remark)
{
    heel_buffer_append_text(json, "{\"measurement\":");
    put_string(json, remark->measurement);
    put_text(json, remark->kind, remark->why);
    heel_buffer_append_text(json, "}");
}

static void put_all(struct heel_buffer *json, const struct report *report)
{
    struct utsname system;

    uname(&system);
    heel_buffer_append_text(json, "{\"kernel\":");
    put_string(json, system.release);
    heel_buffer_printf(json, ",\"cpus\":%ld,\"uid\":%u,\"results\":[",
                       sysconf(_SC_NPROCESSORS_ONLN), geteuid());
    for (size_t i = 0; i < report->row_count; i++) {
        heel_buffer_append_text(json, i > 0 ? ",\n" : "\n");
        put_row(json, &report->rows[i]);
    }
    heel_buffer_append_text(json, "],\"remarks\":[");
    for (size_t i = 0; i < report->remark_count; i++) {
        heel_buffer_append_text(json, i > 0 ? ",\n" : "\n");
        put_remark(json, &report->remarks[i]);
    }
    heel_buffer_append_text(json, "]}\n");
}

int report_write_json(const struct report *report, const char *path, struct heel_error **err)
{
    heel_autobuffer struct heel_buffer json = {0};
    FILE *file = fopen(path, "we");
    bool written;

    if (!file)
        return heel_error_set_errno(err, errno, "%s", path);
    put_all(&json, report);
    written = fwrite(json.data, 1, json.length, file) == json.length;
    if (fclose(file) != 0 || !written)
        return heel_error_set_errno(err, errno, "write %s", path);
    return 0;
}
