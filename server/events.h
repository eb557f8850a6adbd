/* What happened to a caller's sandboxes: numbered, kept up to a bound, and told to who watches. */
#ifndef HEEL_SERVER_EVENTS_H
#define HEEL_SERVER_EVENTS_H

#include "base/error.h"
#include "heel/v1/sandbox.pb-c.h"

struct command_facts;
struct event_reader;
struct heel_denial;
struct heel_sandbox_end;
struct server_core;
struct server_sandbox;

/* At most so much is kept of each owner's events; the last event is always kept. */
#define EVENTS_KEPT 4096
#define EVENTS_KEPT_BYTES ((size_t)4 << 20)

/* Of one owner; zeroed is empty. */
struct events {
    Heel__V1__Event **kept; /* owned; sequence s lies at s % EVENTS_KEPT; NULL before the first */
    uint64_t gone;          /* sequence of the last that is kept no more */
    uint64_t last;          /* sequence of the newest; 0: there was none */
    size_t bytes;           /* of those that are kept, packed */
    struct event_reader *readers;
};

void events_clear(struct events *events);

/* Something happened. Nothing is kept of private sandboxes. */
void events_add_sandbox(struct server_sandbox *sandbox, Heel__V1__SandboxEventKind kind);
/* DELETED, with what it left behind. */
void events_add_deleted(struct server_sandbox *sandbox, const struct heel_sandbox_end *left);
void events_add_process_started(struct server_sandbox *sandbox, const struct command_facts *facts);
void events_add_process_exited(struct server_sandbox *sandbox, const struct command_facts *facts);
/* The same, for a command that is over, if a limit ended it. */
void events_add_limit(struct server_sandbox *sandbox, const struct command_facts *facts);

/* `facts`: of the command that it belongs to; NULL: not known. */
void events_add_denial(struct server_sandbox *sandbox, const struct command_facts *facts,
                       const struct heel_denial *denial);

/* Somebody who watches; embedded. */
struct event_reader {
    struct event_reader *next, *previous;
    struct events *events;                         /* NULL while it doesn't read */
    uint64_t position;                             /* the last that it was given */
    void (*on_event)(struct event_reader *reader); /* there are more; it may stop reading */
};

/* Begins after reader->position. */
void events_read(struct events *events, struct event_reader *reader);
void events_stop_reading(struct event_reader *reader);

/* The oldest that is kept; one more than `last` where there is none. */
uint64_t events_first(const struct events *events);

/* The next for this reader: NULL if there is none now. Borrowed until the loop goes on. Where some
 * were lost before it, *gap_from is the first of them, else 0. The position moves on. */
const Heel__V1__Event *events_next(struct event_reader *reader, uint64_t *gap_from);

/* Runs on_event of every reader of the server once more: the server drains, and they end their
 * streams. */
void events_end_all(struct server_core *core);

/* A random name of this run of the server; positions of other runs are refused. */
const char *events_epoch(void);

#endif
