#include <string.h>

#include "clients/c/cli/connect.h"
#include "clients/c/cli/report.h"
#include "clients/c/cli/table.h"

static void add_sandbox(struct table *table, const struct heel_sandbox_info *sandbox)
{
    heel_autofree char *created = cli_time(sandbox->create_time_ms);
    heel_autofree char *expires =
        sandbox->expire_time_ms ? cli_time(sandbox->expire_time_ms) : heel_xstrdup("");
    heel_autofree char *running = heel_format("%u", sandbox->running_commands);
    heel_autofree char *labels = table_pairs(sandbox->spec.labels, sandbox->spec.label_count);

    table_add(table, sandbox->id);
    table_add(table, heel_sandbox_state_name(sandbox->state));
    table_add(table, heel_level_name(sandbox->spec.level));
    table_add(table, running);
    table_add(table, created);
    table_add(table, expires);
    table_add(table, labels);
}

static void add_heading(struct table *table)
{
    static const char *const names[] = {"SANDBOX", "STATE",   "LEVEL", "RUNNING",
                                        "CREATED", "EXPIRES", "LABELS"};

    table->columns = HEEL_ARRAY_LENGTH(names);
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(names); i++)
        table_add(table, names[i]);
}

/* Appends one page and moves on to the next. In JSON each sandbox is a line of its own, so that
 * pages need no joining. */
static int append_page(struct heel_client *client, struct heel_list *list, bool json,
                       struct table *table, struct heel_buffer *lines, struct heel_error **err)
{
    struct heel_sandbox_page *page;
    char *next;

    if (heel_sandbox_list(client, list, NULL, &page, err))
        return -1;
    for (size_t i = 0; i < page->count; i++) {
        heel_autofree char *line = json ? heel_sandbox_info_json(page->sandboxes[i], 0) : NULL;

        if (json)
            heel_buffer_printf(lines, "%s%s", lines->length > 1 ? ",\n" : "", line);
        else
            add_sandbox(table, page->sandboxes[i]);
    }
    next = heel_xstrdup(page->next_page_token);
    heel_sandbox_page_free(page);
    free((char *)(uintptr_t)list->page_token);
    list->page_token = next;
    return 0;
}

static int append_all(struct heel_client *client, const struct cli_options *options,
                      struct heel_buffer *to, struct heel_error **err)
{
    struct heel_list list = {
        HEEL_INIT(heel_list),
        .page_size = 1000,
        .labels = options->labels.items,
        .label_count = options->labels.count,
    };
    struct table table = {0};
    int result;

    add_heading(&table);
    heel_buffer_append_text(to, options->json ? "[" : "");
    do
        result = append_page(client, &list, options->json, &table, to, err);
    while (!result && *list.page_token);
    free((char *)(uintptr_t)list.page_token);
    if (options->json)
        heel_buffer_append_text(to, "]");
    else
        table_print(&table, to);
    return result;
}

int cli_list(const struct cli_options *options, struct heel_error **err)
{
    struct heel_buffer to = {0};
    struct heel_client *client;
    int result;

    if (cli_connect(options, CLI_NEEDS_LASTING, &client, err))
        return -1;
    result = append_all(client, options, &to, err);
    if (!result)
        result = cli_print(heel_steal(to.data), err);
    heel_buffer_free(&to);
    cli_disconnect(client);
    return result;
}
