#include <string.h>

#include "clients/c/cli/connect.h"
#include "clients/c/cli/exit_code.h"
#include "clients/c/cli/report.h"
#include "clients/c/cli/table.h"

#define COMMAND_COLUMNS 60

/* The arguments with blanks between them, and not all of a long line. */
static char *command_line(const struct heel_process_info *process)
{
    struct heel_buffer to = {0};

    for (size_t i = 0; process->argv[i] && to.length <= COMMAND_COLUMNS; i++)
        heel_buffer_printf(&to, "%s%s", i ? " " : "", process->argv[i]);
    if (to.length > COMMAND_COLUMNS) {
        size_t kept = COMMAND_COLUMNS - 3;

        while (kept > 0 && ((unsigned char)to.data[kept] & 0xc0) == 0x80)
            kept--;
        to.length = kept;
        heel_buffer_append_text(&to, "...");
    }
    return to.data ? to.data : heel_xstrdup("");
}

static char *state_text(const struct heel_process_info *process)
{
    if (process->state != HEEL_PROCESS_EXITED)
        return heel_xstrdup("RUNNING");
    return heel_format("%s %d", heel_exit_reason_name(process->status.reason),
                       cli_exit_code(&process->status));
}

static void add_process(struct table *table, const struct heel_process_info *process)
{
    heel_autofree char *state = state_text(process);
    heel_autofree char *started = cli_time(process->start_time_ms);
    heel_autofree char *readers = heel_format("%u", process->readers);
    heel_autofree char *command = command_line(process);

    table_add(table, process->id);
    table_add(table, state);
    table_add(table, process->terminal ? "yes" : "");
    table_add(table, readers);
    table_add(table, started);
    table_add(table, command);
}

static void add_heading(struct table *table)
{
    static const char *const names[] = {"PROCESS",  "STATE",   "TERMINAL",
                                        "ATTACHED", "STARTED", "COMMAND"};

    table->columns = HEEL_ARRAY_LENGTH(names);
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(names); i++)
        table_add(table, names[i]);
}

/* Appends one page and moves on to the next. In JSON each process is a line of its own, so that
 * pages need no joining. */
static int append_page(struct heel_client *client, const struct cli_options *options,
                       struct heel_process_list *list, struct table *table,
                       struct heel_buffer *lines, struct heel_error **err)
{
    struct heel_process_page *page;
    char *next;

    if (heel_process_list(client, options->arguments[0], list, NULL, &page, err))
        return -1;
    for (size_t i = 0; i < page->count; i++) {
        heel_autofree char *line =
            options->json ? heel_process_info_json(page->processes[i], 0) : NULL;

        if (options->json)
            heel_buffer_printf(lines, "%s%s", lines->length > 1 ? ",\n" : "", line);
        else
            add_process(table, page->processes[i]);
    }
    next = heel_xstrdup(page->next_page_token);
    heel_process_page_free(page);
    free((char *)(uintptr_t)list->page_token);
    list->page_token = next;
    return 0;
}

static int append_all(struct heel_client *client, const struct cli_options *options,
                      struct heel_buffer *to, struct heel_error **err)
{
    static const enum heel_process_state running[] = {HEEL_PROCESS_RUNNING};
    struct heel_process_list list = {
        HEEL_INIT(heel_process_list),
        .page_size = 1000,
        .states = running,
        .state_count = options->all.on ? 0 : 1,
    };
    struct table table = {0};
    int result;

    add_heading(&table);
    heel_buffer_append_text(to, options->json ? "[" : "");
    do
        result = append_page(client, options, &list, &table, to, err);
    while (!result && *list.page_token);
    free((char *)(uintptr_t)list.page_token);
    if (options->json)
        heel_buffer_append_text(to, "]");
    else
        table_print(&table, to);
    return result;
}

int cli_ps(const struct cli_options *options, struct heel_error **err)
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
