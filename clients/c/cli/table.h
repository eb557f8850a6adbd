/* Text in columns, for people. */
#ifndef HEEL_CLI_TABLE_H
#define HEEL_CLI_TABLE_H

#include "base/text.h"
#include "clients/c/libheel/heel/heel.h"

#define TABLE_COLUMNS_MAX 8

/* Zero-initialised is empty, but for `columns`. */
struct table {
    size_t columns;
    struct heel_buffer cells; /* NUL-terminated texts, one after the other */
    size_t count;             /* cells */
    size_t widths[TABLE_COLUMNS_MAX];
};

/* The next cell, row by row; what a terminal could take for a command is escaped. An empty one
 * shows as "-". */
void table_add(struct table *table, const char *text);

/* The same for a sentence whose quotes and backslashes are heel's own. */
void table_add_sentence(struct table *table, const char *text);

/* Appends all rows, columns two spaces apart, and frees the table. */
void table_print(struct table *table, struct heel_buffer *to);

/* A table of protections, each with what is missing where it isn't held in full. */
void table_print_enforcement(const struct heel_enforcement *rows, size_t count,
                             struct heel_buffer *to);

/* "name=value" for each, separated by commas; the caller frees it. */
char *table_pairs(const struct heel_pair *pairs, size_t count);

#endif
