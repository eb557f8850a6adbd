/* WatchEvents. */
#include <string.h>

#include "heel/v1/sandbox.grpc-c.h"
#include "server/callers.h"
#include "server/core.h"
#include "server/events.h"
#include "server/service.h"
#include "server/spec_check.h"

struct watch {
    struct caller *caller; /* borrowed */
    bool admitted;         /* it counts as a stream of its caller */
    struct grpcc_stream *stream;
    struct event_reader reader;
    const Heel__V1__WatchEventsRequest *request; /* borrowed from the stream */
    bool writing;
    bool finished;
};

static void pump(struct watch *watch);

static void on_done(struct grpcc_stream *stream, void *data)
{
    struct watch *watch = data;

    (void)stream;
    if (watch->admitted)
        callers_stream_over(watch->caller);
    free(watch);
}

static void finish(struct watch *watch, struct grpcc_status *status)
{
    watch->finished = true;
    events_stop_reading(&watch->reader);
    grpcc_stream_finish(watch->stream, status, on_done);
}

static void finish_draining(struct watch *watch)
{
    heel_autoerror struct heel_error *error = NULL;

    server_refuse_draining(&error);
    finish(watch, service_status(error));
}

static void on_cancel(struct grpcc_stream *stream, void *data)
{
    struct watch *watch = data;

    (void)stream;
    if (!watch->finished)
        finish(watch, grpcc_status_new(HEEL_CANCELLED, "the caller gave up"));
}

/* ---- writing ---- */

static void on_written(struct grpcc_stream *stream, bool ok, void *data)
{
    struct watch *watch = data;

    (void)stream;
    (void)ok; /* a broken stream is cancelled, too */
    watch->writing = false;
    pump(watch);
}

static void write_response(struct watch *watch, Heel__V1__WatchEventsResponse *response)
{
    watch->writing = true;
    grpcc_stream_write(watch->stream, &response->base, on_written);
}

static void write_started(struct watch *watch)
{
    Heel__V1__WatchEventsResponse response = HEEL__V1__WATCH_EVENTS_RESPONSE__INIT;
    Heel__V1__WatchStarted started = HEEL__V1__WATCH_STARTED__INIT;

    started.epoch = (char *)(uintptr_t)events_epoch();
    started.sequence = watch->reader.events->last;
    response.message_case = HEEL__V1__WATCH_EVENTS_RESPONSE__MESSAGE_STARTED;
    response.started = &started;
    write_response(watch, &response);
}

static void write_gap(struct watch *watch, uint64_t from, uint64_t to)
{
    Heel__V1__WatchEventsResponse response = HEEL__V1__WATCH_EVENTS_RESPONSE__INIT;
    Heel__V1__EventGap gap = HEEL__V1__EVENT_GAP__INIT;

    gap.from = from;
    gap.to = to;
    response.message_case = HEEL__V1__WATCH_EVENTS_RESPONSE__MESSAGE_GAP;
    response.gap = &gap;
    write_response(watch, &response);
}

static void write_event(struct watch *watch, const Heel__V1__Event *event)
{
    Heel__V1__WatchEventsResponse response = HEEL__V1__WATCH_EVENTS_RESPONSE__INIT;

    response.message_case = HEEL__V1__WATCH_EVENTS_RESPONSE__MESSAGE_EVENT;
    response.event = (Heel__V1__Event *)(uintptr_t)event;
    write_response(watch, &response);
}

static Heel__V1__EventKind kind_of(const Heel__V1__Event *event)
{
    switch (event->payload_case) {
    case HEEL__V1__EVENT__PAYLOAD_SANDBOX:
        return HEEL__V1__EVENT_KIND__EVENT_KIND_SANDBOX;
    case HEEL__V1__EVENT__PAYLOAD_PROCESS_STARTED:
        return HEEL__V1__EVENT_KIND__EVENT_KIND_PROCESS_STARTED;
    case HEEL__V1__EVENT__PAYLOAD_PROCESS_EXITED:
        return HEEL__V1__EVENT_KIND__EVENT_KIND_PROCESS_EXITED;
    case HEEL__V1__EVENT__PAYLOAD_DENIAL:
        return HEEL__V1__EVENT_KIND__EVENT_KIND_DENIAL;
    case HEEL__V1__EVENT__PAYLOAD_LIMIT:
        return HEEL__V1__EVENT_KIND__EVENT_KIND_LIMIT;
    default:
        return HEEL__V1__EVENT_KIND__EVENT_KIND_UNSPECIFIED;
    }
}

static bool is_wanted(const struct watch *watch, const Heel__V1__Event *event)
{
    const Heel__V1__WatchEventsRequest *request = watch->request;

    if (request->sandbox_id[0] && strcmp(request->sandbox_id, event->sandbox_id) != 0)
        return false;
    for (size_t i = 0; i < request->n_kinds; i++)
        if (request->kinds[i] == kind_of(event))
            return true;
    return request->n_kinds == 0;
}

/* One message at a time; an event that comes after a gap is looked at again, when the gap was
 * written. */
static void pump(struct watch *watch)
{
    const Heel__V1__Event *event;
    uint64_t gap_from;

    while (!watch->writing && !watch->finished &&
           (event = events_next(&watch->reader, &gap_from))) {
        if (gap_from > 0) {
            watch->reader.position--;
            write_gap(watch, gap_from, event->sequence);
        } else if (is_wanted(watch, event)) {
            write_event(watch, event);
        }
    }
    if (!watch->writing && !watch->finished && watch->caller->core->closing)
        finish_draining(watch);
}

static void on_event(struct event_reader *reader)
{
    pump(heel_container_of(reader, struct watch, reader));
}

/* ---- beginning ---- */

static int refuse_position(const Heel__V1__EventPosition *after, const struct events *events,
                           struct heel_error **err)
{
    heel_error_set(err, HEEL_OUT_OF_RANGE, "POSITION_OUT_OF_RANGE",
                   "there was no event %llu in this life of the server; it may have been started "
                   "anew",
                   (unsigned long long)after->sequence);
    if (err) {
        heel_error_set_field_path(*err, "after");
        heel_error_add_metadata(*err, "epoch", "%s", events_epoch());
        heel_error_add_metadata(*err, "sequence", "%llu", (unsigned long long)events->last);
    }
    return -1;
}

static int check_request(const Heel__V1__WatchEventsRequest *request, const struct events *events,
                         struct heel_error **err)
{
    const Heel__V1__EventPosition *after = request->after;

    if (request->sandbox_id[0] && spec_check_id(request->sandbox_id, "sandbox_id", err) < 0)
        return -1;
    for (size_t i = 0; i < request->n_kinds; i++)
        if (request->kinds[i] < HEEL__V1__EVENT_KIND__EVENT_KIND_SANDBOX ||
            request->kinds[i] > HEEL__V1__EVENT_KIND__EVENT_KIND_LIMIT)
            return heel_error_set_field(
                err, "kinds", "kinds[%zu] must be a kind of event other than UNSPECIFIED", i);
    if (after && ((after->epoch[0] && strcmp(after->epoch, events_epoch()) != 0) ||
                  after->sequence > events->last))
        return refuse_position(after, events, err);
    return 0;
}

void rpc_watch_events(struct grpcc_stream *stream, const Heel__V1__WatchEventsRequest *request,
                      void *service)
{
    heel_autoerror struct heel_error *error = NULL;
    struct caller *caller = service;
    struct events *events = &caller->owner->events;
    struct watch *watch = heel_xcalloc(1, sizeof *watch);

    service_begin(grpcc_stream_call(stream), caller, "WatchEvents");
    watch->caller = caller;
    watch->stream = stream;
    watch->request = request;
    grpcc_stream_set_data(stream, watch);
    watch->admitted = callers_admit_stream(caller, &error) == 0;
    if (!watch->admitted || check_request(request, events, &error) < 0) {
        finish(watch, service_status(error));
        return;
    }
    watch->reader.position = request->after ? request->after->sequence : events->last;
    watch->reader.on_event = on_event;
    events_read(events, &watch->reader);
    grpcc_stream_on_cancel(stream, on_cancel);
    write_started(watch);
}
