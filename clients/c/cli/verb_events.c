/* What has happened, and what happens. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "clients/c/cli/connect.h"
#include "clients/c/cli/exit_code.h"
#include "clients/c/cli/report.h"

struct watching {
    const struct cli_options *options;
    uint64_t last; /* without --follow: the last that had happened */
    int result;
    struct heel_error *error; /* owned */
};

static void append_argv(const char *const *argv, struct heel_buffer *to)
{
    for (; *argv; argv++) {
        heel_autofree char *argument = cli_escaped(*argv);

        heel_buffer_printf(to, " %s", argument);
    }
}

static void append_denial(const struct heel_denial *denial, struct heel_buffer *to)
{
    heel_autofree char *target = cli_escaped(denial->target);
    heel_autofree char *rule = cli_sentence(denial->rule);

    heel_buffer_printf(to, "refused %s \"%s\": %s", denial->right, target, rule);
}

static void append_what(const struct heel_event *event, struct heel_buffer *to)
{
    switch (event->kind) {
    case HEEL_EVENT_SANDBOX:
        heel_buffer_append_text(to, heel_sandbox_event_name(event->sandbox));
        break;
    case HEEL_EVENT_PROCESS_STARTED:
        heel_buffer_printf(to, "%s started:", event->process_id);
        append_argv(event->argv, to);
        break;
    case HEEL_EVENT_PROCESS_EXITED:
        heel_buffer_printf(to, "%s ended: %s %d", event->process_id,
                           heel_exit_reason_name(event->status.reason),
                           cli_exit_code(&event->status));
        break;
    case HEEL_EVENT_DENIAL:
        heel_buffer_printf(to, "%s%s", event->process_id, *event->process_id ? " " : "");
        append_denial(&event->denial, to);
        break;
    case HEEL_EVENT_LIMIT:
        heel_buffer_printf(to, "%s: %s", event->process_id, event->message);
        break;
    case HEEL_EVENT_GAP:
        heel_buffer_printf(to, "events from %" PRIu64 " up to %" PRIu64 " are kept no more",
                           event->sequence, event->gap_end);
        break;
    default:
        break;
    }
}

static char *describe(const struct heel_event *event)
{
    struct heel_buffer to = {0};

    if (event->kind != HEEL_EVENT_GAP) {
        heel_autofree char *time = cli_time(event->time_ms);

        heel_buffer_printf(&to, "%" PRIu64 "  %s  %s  ", event->sequence, time, event->sandbox_id);
    }
    append_what(event, &to);
    return to.data;
}

/* The server's own filter would leave nothing to tell the end by, where there is one. */
static bool is_wanted(const struct cli_options *options, const struct heel_event *event)
{
    if (event->kind == HEEL_EVENT_BEGIN)
        return options->json;
    if (event->kind == HEEL_EVENT_GAP)
        return true;
    if (options->sandbox && strcmp(options->sandbox, event->sandbox_id) != 0)
        return false;
    for (size_t i = 0; i < options->kind_count; i++)
        if (options->kinds[i] == event->kind)
            return true;
    return options->kind_count == 0;
}

static bool has_more(const struct watching *watching, const struct heel_event *event)
{
    uint64_t at = event->kind == HEEL_EVENT_BEGIN ? watching->options->after
                  : event->kind == HEEL_EVENT_GAP ? event->gap_end - 1
                                                  : event->sequence;

    return watching->options->follow.on || at < watching->last;
}

static bool on_event(const struct heel_event *event, void *data)
{
    struct watching *watching = data;

    if (event->kind == HEEL_EVENT_BEGIN)
        watching->last = event->sequence;
    if (is_wanted(watching->options, event))
        watching->result =
            cli_print(watching->options->json ? heel_event_json(event, 0) : describe(event),
                      &watching->error);
    return !watching->result && has_more(watching, event);
}

int cli_events(const struct cli_options *options, struct heel_error **err)
{
    const struct heel_watch watch = {
        HEEL_INIT(heel_watch),      .resume = options->has_after || !options->follow.on,
        .sequence = options->after, .sandbox_id = options->follow.on ? options->sandbox : NULL,
        .kinds = options->kinds,    .kind_count = options->follow.on ? options->kind_count : 0,
    };
    struct watching watching = {.options = options};
    struct heel_client *client;
    int result;

    if (cli_connect(options, CLI_NEEDS_LASTING, &client, err))
        return -1;
    result = heel_events_watch(client, &watch, NULL, on_event, &watching, err);
    cli_disconnect(client);
    return watching.result ? heel_error_propagate(err, &watching.error) : result;
}
