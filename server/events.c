#include "server/events.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/text.h"
#include "server/command_facts.h"
#include "server/core.h"
#include "server/denials.h"
#include "server/edge.h"

const char *events_epoch(void)
{
    static char epoch[2 * sizeof(uint64_t) + 1];
    uint64_t bits;

    if (epoch[0])
        return epoch;
    if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        abort();
    snprintf(epoch, sizeof epoch, "%016llx", (unsigned long long)bits);
    return epoch;
}

static void forget_oldest(struct events *events)
{
    Heel__V1__Event **place = &events->kept[++events->gone % EVENTS_KEPT];

    events->bytes -= heel__v1__event__get_packed_size(*place);
    heel__v1__event__free_unpacked(heel_steal(*place), NULL);
}

void events_clear(struct events *events)
{
    while (events->gone < events->last)
        forget_oldest(events);
    free(events->kept);
    *events = (struct events){0};
}

uint64_t events_first(const struct events *events)
{
    return events->gone + 1;
}

/* ---- adding ---- */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static Heel__V1__Event *new_event(const struct server_sandbox *sandbox)
{
    Heel__V1__Event *event = heel_xmalloc(sizeof *event);

    heel__v1__event__init(event);
    event->sandbox_id = heel_xstrdup(sandbox->id);
    event->time = edge_new_timestamp_ms(now_ms());
    return event;
}

/* Takes the event over. */
static void add(struct events *events, Heel__V1__Event *event)
{
    struct event_reader *next;

    if (!events->kept)
        events->kept = heel_xcalloc(EVENTS_KEPT, sizeof(Heel__V1__Event *));
    event->sequence = events->last + 1;
    events->bytes += heel__v1__event__get_packed_size(event);
    while (events->gone < events->last &&
           (events->last - events->gone == EVENTS_KEPT || events->bytes > EVENTS_KEPT_BYTES))
        forget_oldest(events);
    events->kept[event->sequence % EVENTS_KEPT] = event;
    events->last = event->sequence;
    for (struct event_reader *reader = events->readers; reader; reader = next) {
        next = reader->next;
        reader->on_event(reader);
    }
}

static Heel__V1__Event *new_sandbox_event(const struct server_sandbox *sandbox,
                                          Heel__V1__SandboxEventKind kind)
{
    Heel__V1__Event *event = new_event(sandbox);

    event->payload_case = HEEL__V1__EVENT__PAYLOAD_SANDBOX;
    event->sandbox = heel_xmalloc(sizeof *event->sandbox);
    heel__v1__sandbox_event__init(event->sandbox);
    event->sandbox->kind = kind;
    return event;
}

void events_add_sandbox(struct server_sandbox *sandbox, Heel__V1__SandboxEventKind kind)
{
    if (!sandbox->private_to_call)
        add(&sandbox->owner->events, new_sandbox_event(sandbox, kind));
}

void events_add_deleted(struct server_sandbox *sandbox, const struct heel_sandbox_end *left)
{
    Heel__V1__Event *event;

    if (sandbox->private_to_call)
        return;
    event = new_sandbox_event(sandbox, HEEL__V1__SANDBOX_EVENT_KIND__SANDBOX_EVENT_KIND_DELETED);
    event->sandbox->acting_files = edge_new_acting_files(left);
    add(&sandbox->owner->events, event);
}

void events_add_process_started(struct server_sandbox *sandbox, const struct command_facts *facts)
{
    Heel__V1__ProcessStartedEvent *started;
    Heel__V1__Event *event;

    if (sandbox->private_to_call)
        return;
    started = heel_xmalloc(sizeof *started);
    heel__v1__process_started_event__init(started);
    started->process_id = heel_xstrdup(facts->id);
    started->argv = heel_xcalloc(facts->argc, sizeof *started->argv);
    for (size_t i = 0; i < facts->argc; i++)
        started->argv[started->n_argv++] = heel_xstrdup(facts->argv[i]);
    event = new_event(sandbox);
    event->payload_case = HEEL__V1__EVENT__PAYLOAD_PROCESS_STARTED;
    event->process_started = started;
    add(&sandbox->owner->events, event);
}

void events_add_process_exited(struct server_sandbox *sandbox, const struct command_facts *facts)
{
    Heel__V1__ProcessExitedEvent *exited;
    Heel__V1__Event *event;

    if (sandbox->private_to_call)
        return;
    exited = heel_xmalloc(sizeof *exited);
    heel__v1__process_exited_event__init(exited);
    exited->process_id = heel_xstrdup(facts->id);
    exited->status = command_facts_new_status(facts);
    exited->usage = edge_new_usage(&facts->exit);
    event = new_event(sandbox);
    event->payload_case = HEEL__V1__EVENT__PAYLOAD_PROCESS_EXITED;
    event->process_exited = exited;
    add(&sandbox->owner->events, event);
}

void events_add_limit(struct server_sandbox *sandbox, const struct command_facts *facts)
{
    Heel__V1__ExitStatus *status = command_facts_new_status(facts);
    Heel__V1__Event *event;

    if (!sandbox->private_to_call && status->limit != HEEL__V1__LIMIT__LIMIT_UNSPECIFIED) {
        event = new_event(sandbox);
        event->payload_case = HEEL__V1__EVENT__PAYLOAD_LIMIT;
        event->limit = heel_xmalloc(sizeof *event->limit);
        heel__v1__limit_event__init(event->limit);
        event->limit->process_id = heel_xstrdup(facts->id);
        event->limit->limit = status->limit;
        event->limit->message = heel_xstrdup(status->message);
        add(&sandbox->owner->events, event);
    }
    heel__v1__exit_status__free_unpacked(status, NULL);
}

void events_add_denial(struct server_sandbox *sandbox, const struct command_facts *facts,
                       const struct heel_denial *denial)
{
    Heel__V1__DenialEvent *message;
    Heel__V1__Event *event;

    if (sandbox->private_to_call)
        return;
    message = heel_xmalloc(sizeof *message);
    heel__v1__denial_event__init(message);
    message->process_id = heel_xstrdup(facts ? facts->id : "");
    message->denial = denials_new_message(denial);
    event = new_event(sandbox);
    event->payload_case = HEEL__V1__EVENT__PAYLOAD_DENIAL;
    event->denial = message;
    add(&sandbox->owner->events, event);
}

/* ---- reading ---- */

void events_read(struct events *events, struct event_reader *reader)
{
    reader->events = events;
    reader->previous = NULL;
    reader->next = events->readers;
    if (reader->next)
        reader->next->previous = reader;
    events->readers = reader;
}

void events_stop_reading(struct event_reader *reader)
{
    struct events *events = heel_steal(reader->events);

    if (!events)
        return;
    if (reader->previous)
        reader->previous->next = reader->next;
    else
        events->readers = reader->next;
    if (reader->next)
        reader->next->previous = reader->previous;
}

const Heel__V1__Event *events_next(struct event_reader *reader, uint64_t *gap_from)
{
    const struct events *events = reader->events;
    uint64_t first = events_first(events);

    *gap_from = 0;
    if (reader->position >= events->last)
        return NULL;
    if (reader->position + 1 < first) {
        *gap_from = reader->position + 1;
        reader->position = first - 1;
    }
    reader->position++;
    return events->kept[reader->position % EVENTS_KEPT];
}

void events_end_all(struct server_core *core)
{
    for (struct owner *owner = core->owners; owner; owner = owner->next) {
        struct event_reader *next;

        for (struct event_reader *reader = owner->events.readers; reader; reader = next) {
            next = reader->next;
            reader->on_event(reader);
        }
    }
}
