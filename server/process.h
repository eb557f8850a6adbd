/* A process: a command of Exec or StartProcess as a resource. It outlives the streams that are
 * attached to it, and, with the last of its output, its own end.
 *
 * Output goes from its pipes into one ring each, and from there to any number of readers at offsets
 * of their own. With WHEN_FULL_BLOCK the pipes are read only as far as what nobody has taken yet
 * stays in the ring; see keep_from() for what counts. */
#ifndef HEEL_SERVER_PROCESS_H
#define HEEL_SERVER_PROCESS_H

#include "base/error.h"
#include "heel/v1/sandbox.pb-c.h"
#include "server/command.h"
#include "server/ring.h"
#include "server/stdin_shares.h"

enum process_channel {
    PROCESS_STDOUT,
    PROCESS_STDERR,
    PROCESS_CHANNELS,
};

struct process_reader;

/* Somebody who waits until a process was started, or could not be; embedded in what waits. */
struct process_waiter {
    struct process_waiter *next;
    void (*on_started)(struct process_waiter *waiter, struct server_process *process);
};

struct server_process {
    struct server_process *next, *previous; /* in the order of their start */
    struct server_sandbox *sandbox;         /* borrowed; NULL once it is gone */
    unsigned references;                    /* the sandbox's list, and each reader */
    struct command_facts *facts;            /* owned */
    struct server_command *command;         /* owned; NULL once all of its output is in the rings */
    struct heel_buffer canonical;           /* what was asked for, if the client chose the id */
    struct process_output {
        struct ring ring;
        uint64_t taken; /* the furthest that any reader was sent */
        bool held;      /* the ring is full, and its pipe isn't read until somebody takes some */
    } outputs[PROCESS_CHANNELS];
    bool drop_oldest;
    bool kill_on_disconnect;
    bool started;
    bool inferring;    /* it is over, and its complaints are looked at */
    uint64_t inferred; /* how far in the output that they stand in */
    struct process_reader *readers;
    unsigned reader_count;
    bool telling;                         /* the readers are being told of news */
    bool more_news;                       /* and must be told again */
    struct process_waiter *start_waiters; /* borrowed */
    struct stdin_shares input;
};

/* Starts `request` (checked) in a READY sandbox; `kill_on_disconnect` where it doesn't say. NULL
 * and *err. The sandbox holds it. */
struct server_process *process_start(struct server_sandbox *sandbox,
                                     const Heel__V1__Command *request, bool kill_on_disconnect,
                                     struct heel_error **err);

/* Runs waiter->on_started when the process was started or could not be; from inside if that is so
 * already. */
void process_when_started(struct server_process *process, struct process_waiter *waiter);

/* A new message that describes it. */
Heel__V1__Process *process_describe(const struct server_process *process);

/* ---- readers ---- */

enum process_news_kind {
    PROCESS_NO_NEWS, /* on_news tells when there is some */
    PROCESS_OUTPUT,
    PROCESS_GAP,
    PROCESS_EXITED, /* and all of its output was taken */
};

struct process_news {
    enum process_news_kind kind;
    enum process_channel stream; /* OUTPUT and GAP */
    uint64_t offset;             /* where the bytes, or those that are missing, begin */
    const char *bytes;           /* OUTPUT: borrowed until anything else is done */
    size_t length;               /* OUTPUT */
    uint64_t gap_end;            /* GAP: where what is there begins */
};

/* Embedded in what reads; zeroed but for what is said here. */
struct process_reader {
    struct process_reader *next, *previous;
    struct server_process *process;     /* NULL while it is not attached */
    uint64_t offsets[PROCESS_CHANNELS]; /* set by who attaches: where it begins */
    bool required;                      /* the same: the command waits for this one */
    bool stderr_first;                  /* whose turn it is */
    uint64_t stdin_taken;               /* of the bytes that it wrote */
    /* There may be news, or more of its stdin was taken, or the process was started. Not run from
     * inside of a call about this reader. It may detach itself, no other one. */
    void (*on_news)(struct process_reader *reader);
};

/* 0, or -1 and *err: OUT_OF_RANGE, an offset is beyond the end. */
int process_attach(struct server_process *process, struct process_reader *reader,
                   struct heel_error **err);

/* Whether detaching this reader kills the process: it is the last one and kill_on_disconnect is
 * set. */
bool process_dies_with(const struct process_reader *reader);

/* The process may be gone afterwards. Fine if it isn't attached. */
void process_detach(struct process_reader *reader);

/* What comes next for this reader; the two outputs take turns. It returns the same until
 * process_take(). */
struct process_news process_next(struct process_reader *reader);

/* OUTPUT or GAP was sent. Where a full ring had stopped it the pipe is read on, and the other
 * readers are told. */
void process_take(struct process_reader *reader, const struct process_news *news);

/* To its standard input. What several readers write is joined as it comes. Dropped once it is
 * closed, or over. */
void process_write(struct process_reader *reader, const void *bytes, size_t length);

/* ---- those of a sandbox ---- */

/* A command that runs, also RunCommand's, or one that is over and kept: its facts, and what there
 * is of the two others. False and *err: NOT_FOUND. */
struct process_found {
    struct command_facts *facts;
    struct server_command *command; /* NULL once it is over */
    struct server_process *process; /* NULL for RunCommand's */
};
bool process_find(const struct server_sandbox *sandbox, const char *id, struct process_found *found,
                  struct heel_error **err);

/* The sandbox is gone: it lets go of its processes. */
void processes_release(struct server_sandbox *sandbox);

#endif
