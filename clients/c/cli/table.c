#include "clients/c/cli/table.h"

#include <string.h>

#include "clients/c/cli/report.h"

/* Columns on a terminal: one per character, which is near enough. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void add(struct table *table, const char *cell)
{
    size_t column = table->count++ % table->columns, width = width_of(cell);

    heel_buffer_append(&table->cells, cell, strlen(cell) + 1);
    if (width > table->widths[column])
        table->widths[column] = width;
}

void table_add(struct table *table, const char *text)
{
    heel_autofree char *escaped = cli_escaped(*text ? text : "-");

    add(table, escaped);
}

void table_add_sentence(struct table *table, const char *text)
{
    heel_autofree char *sentence = cli_sentence(*text ? text : "-");

    add(table, sentence);
}

void table_print(struct table *table, struct heel_buffer *to)
{
    const char *cell = table->cells.data;

    for (size_t i = 0; i < table->count; i++, cell += strlen(cell) + 1) {
        size_t column = i % table->columns;
        bool last = column == table->columns - 1;
        int padding = (int)(table->widths[column] - width_of(cell)) + 2;

        heel_buffer_printf(to, "%s%*s", cell, last ? 0 : padding, "");
        if (last)
            heel_buffer_append_text(to, "\n");
    }
    heel_buffer_free(&table->cells);
}

static char *lower(const char *text)
{
    char *copy = heel_xstrdup(text);

    for (char *c = copy; *c; c++)
        *c = (char)(*c == '_' ? ' ' : *c >= 'A' && *c <= 'Z' ? *c + ('a' - 'A') : *c);
    return copy;
}

void table_print_enforcement(const struct heel_enforcement *rows, size_t count,
                             struct heel_buffer *to)
{
    struct table table = {.columns = 4};

    for (size_t i = 0; i < count; i++) {
        heel_autofree char *protection = lower(heel_protection_name(rows[i].protection));
        heel_autofree char *state = lower(heel_enforcement_state_name(rows[i].state));

        table_add(&table, protection);
        table_add(&table, state);
        table_add(&table, rows[i].mechanism);
        table_add_sentence(&table, rows[i].detail);
    }
    table_print(&table, to);
}

char *table_pairs(const struct heel_pair *pairs, size_t count)
{
    struct heel_buffer to = {0};

    for (size_t i = 0; i < count; i++)
        heel_buffer_printf(&to, "%s%s=%s", i ? "," : "", pairs[i].name, pairs[i].value);
    return to.data ? to.data : heel_xstrdup("");
}
