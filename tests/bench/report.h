/* What was measured: a table for people, JSON for programs. */
#ifndef HEEL_TESTS_BENCH_REPORT_H
#define HEEL_TESTS_BENCH_REPORT_H

#include <stdbool.h>

#include "base/error.h"
#include "tests/bench/samples.h"

enum target_kind {
    TARGET_NONE, /* measured for information */
    TARGET_AT_MOST,
    TARGET_AT_LEAST,
};

/* One number that is measured, and what it ought to be. All static. */
struct target {
    const char *what;
    const char *unit; /* "x" for a ratio: those come first in the table */
    enum target_kind kind;
    double limit;
};

/* One that was measured. */
struct result {
    const struct target *target;
    double value;
    const char *spread_unit; /* static; of the two below */
    struct spread own;       /* count 0: none */
    const char *against;     /* static; what it was compared with, NULL if nothing */
    struct spread base;
    char *note; /* owned; NULL if none */
};

struct report;

/* Never NULL. */
struct report *report_new(void);
void report_free(struct report *report);

/* `measurement` is static; the note of `result` is taken over. */
void report_add(struct report *report, const char *measurement, struct result result);

/* Something that could not be measured here, or went wrong. `measurement` is static, `why` is
 * copied. */
void report_skip(struct report *report, const char *measurement, const char *why);
void report_failure(struct report *report, const char *measurement, const char *why);
bool report_has_failures(const struct report *report);

void report_print(const struct report *report);
int report_write_json(const struct report *report, const char *path, struct heel_error **err);

#endif
