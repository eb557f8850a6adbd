/* Watching what happens. */
#include <poll.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "clients/c/libheel/client.h"
#include "clients/c/libheel/request.h"
#include "clients/c/libheel/result.h"
#include "heel/v1/sandbox.grpc-c.h"

struct watching {
    struct heel_client *client;
    struct client_connection *connection;
    struct grpcc_queue *queue;
    struct grpcc_stream *stream;
    bool (*on_event)(const struct heel_event *event, void *data);
    void *data;
    char *epoch; /* owned */
    bool stopped;
    bool over;
    struct heel_error *error; /* owned */
};

/* What a callback gets, with what JSON shows of it. */
struct shown_event {
    struct heel_event event;
    struct result result;
};

char *heel_event_json(const struct heel_event *event, unsigned indent)
{
    return result_json(&heel_container_of(event, struct shown_event, event)->result, indent);
}

static void fill_process_started(struct shown_event *shown,
                                 const Heel__V1__ProcessStartedEvent *message)
{
    shown->event.kind = HEEL_EVENT_PROCESS_STARTED;
    shown->event.process_id = message->process_id;
    shown->event.argv = result_strings(&shown->result.arena, message->argv, message->n_argv);
}

static void fill_process_exited(struct shown_event *shown,
                                const Heel__V1__ProcessExitedEvent *message)
{
    shown->event.kind = HEEL_EVENT_PROCESS_EXITED;
    shown->event.process_id = message->process_id;
    result_exit_status(message->status, &shown->event.status);
    result_usage(message->usage, &shown->event.usage);
}

static void fill_denial(struct shown_event *shown, const Heel__V1__DenialEvent *message)
{
    struct heel_denials denials;

    shown->event.kind = HEEL_EVENT_DENIAL;
    shown->event.process_id = message->process_id;
    result_denials(&shown->result.arena, &message->denial, message->denial ? 1 : 0, false,
                   &denials);
    if (denials.count > 0)
        shown->event.denial = denials.items[0];
}

static void fill_limit(struct shown_event *shown, const Heel__V1__LimitEvent *message)
{
    shown->event.kind = HEEL_EVENT_LIMIT;
    shown->event.process_id = message->process_id;
    shown->event.limit = (enum heel_limit)message->limit;
    shown->event.message = message->message;
}

/* False for a kind that this library doesn't know. */
static bool fill_event(struct shown_event *shown, const Heel__V1__Event *message)
{
    shown->event.sequence = message->sequence;
    shown->event.time_ms = result_time_ms(message->time);
    shown->event.sandbox_id = message->sandbox_id;
    switch (message->payload_case) {
    case HEEL__V1__EVENT__PAYLOAD_SANDBOX:
        shown->event.kind = HEEL_EVENT_SANDBOX;
        shown->event.sandbox = (enum heel_sandbox_event)message->sandbox->kind;
        return true;
    case HEEL__V1__EVENT__PAYLOAD_PROCESS_STARTED:
        fill_process_started(shown, message->process_started);
        return true;
    case HEEL__V1__EVENT__PAYLOAD_PROCESS_EXITED:
        fill_process_exited(shown, message->process_exited);
        return true;
    case HEEL__V1__EVENT__PAYLOAD_DENIAL:
        fill_denial(shown, message->denial);
        return true;
    case HEEL__V1__EVENT__PAYLOAD_LIMIT:
        fill_limit(shown, message->limit);
        return true;
    default:
        return false;
    }
}

static bool fill(struct shown_event *shown, const Heel__V1__WatchEventsResponse *response)
{
    switch (response->message_case) {
    case HEEL__V1__WATCH_EVENTS_RESPONSE__MESSAGE_STARTED:
        shown->event.kind = HEEL_EVENT_BEGIN;
        shown->event.sequence = response->started->sequence;
        return true;
    case HEEL__V1__WATCH_EVENTS_RESPONSE__MESSAGE_GAP:
        shown->event.kind = HEEL_EVENT_GAP;
        shown->event.sequence = response->gap->from;
        shown->event.gap_end = response->gap->to;
        return true;
    case HEEL__V1__WATCH_EVENTS_RESPONSE__MESSAGE_EVENT:
        return fill_event(shown, response->event);
    default:
        return false;
    }
}

static void tell(struct watching *watching, const Heel__V1__WatchEventsResponse *response)
{
    struct shown_event shown = {.result.shown = &response->base};

    if (response->message_case == HEEL__V1__WATCH_EVENTS_RESPONSE__MESSAGE_STARTED) {
        free(watching->epoch);
        watching->epoch = heel_xstrdup(response->started->epoch);
    }
    shown.event.epoch = watching->epoch ? watching->epoch : "";
    shown.event.message = "";
    if (fill(&shown, response) && !watching->on_event(&shown.event, watching->data))
        watching->stopped = true;
    arena_free(&shown.result.arena);
}

static void on_response(struct grpcc_stream *stream, const Heel__V1__WatchEventsResponse *response,
                        void *data)
{
    struct watching *watching = data;

    if (!response || watching->stopped)
        return; /* on_status follows */
    tell(watching, response);
    if (watching->stopped)
        grpcc_stream_cancel(stream);
    heel_v1_sandbox_service_watch_events_read_response(stream, on_response);
}

static void on_status(struct grpcc_stream *stream, const struct grpcc_status *status, void *data)
{
    struct watching *watching = data;

    (void)stream;
    watching->over = true;
    if (!watching->stopped)
        error_from_status(&watching->error, status, watching->client->address);
    client_release(watching->client, heel_steal(watching->connection),
                   status->code == HEEL_UNAVAILABLE);
}

static int fill_request(struct arena *arena, const struct heel_watch *given,
                        Heel__V1__WatchEventsRequest *request, struct heel_error **err)
{
    struct heel_watch watch;

    if (request_read(&watch, sizeof(watch), given, "heel_watch", err))
        return -1;
    request->sandbox_id = request_text(watch.sandbox_id);
    request->n_kinds = watch.kind_count;
    request->kinds = arena_alloc(arena, watch.kind_count, sizeof(*request->kinds));
    for (size_t i = 0; i < watch.kind_count; i++)
        request->kinds[i] = (Heel__V1__EventKind)watch.kinds[i];
    if (watch.resume) {
        request->after = arena_alloc(arena, 1, sizeof(*request->after));
        heel__v1__event_position__init(request->after);
        request->after->epoch = request_text(watch.epoch);
        request->after->sequence = watch.sequence;
    }
    return 0;
}

int heel_events_watch(struct heel_client *client, const struct heel_watch *watch,
                      const struct heel_call *call,
                      bool (*on_event)(const struct heel_event *event, void *data), void *data,
                      struct heel_error **error)
{
    arena_auto struct arena arena = {0};
    Heel__V1__WatchEventsRequest request = HEEL__V1__WATCH_EVENTS_REQUEST__INIT;
    struct watching watching = {.client = client, .on_event = on_event, .data = data};
    struct grpcc_call_options options;

    if (fill_request(&arena, watch, &request, error) ||
        client_call_options(client, call, &arena, &options, error))
        return -1;
    watching.connection = client_acquire(client, error);
    if (!watching.connection)
        return -1;
    watching.queue = grpcc_queue_new(NULL);
    watching.stream = heel_v1_sandbox_service_watch_events_open(
        watching.connection->channel, watching.queue, &request, &options, on_status, &watching);
    heel_v1_sandbox_service_watch_events_read_response(watching.stream, on_response);
    while (!watching.over)
        grpcc_queue_poll(watching.queue, -1);
    grpcc_queue_free(watching.queue);
    free(watching.epoch);
    return watching.stopped ? 0 : heel_error_propagate(error, &watching.error);
}
