/* What is known about a command, during its run and after it. */
#ifndef HEEL_SERVER_COMMAND_FACTS_H
#define HEEL_SERVER_COMMAND_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/backend.h"
#include "base/error.h"
#include "heel/v1/process.pb-c.h"
#include "server/denials.h"

struct command_facts;

/* Somebody who waits until all is known of a command's end; embedded in what waits. */
struct command_waiter {
    struct command_waiter *next;
    struct command_waiter **previous; /* NULL while nobody waits */
    void (*on_settled)(struct command_waiter *waiter, const struct command_facts *facts);
};

struct command_facts {
    char *id;                       /* owned */
    char *sandbox_id;               /* owned */
    uint64_t sequence;              /* of its start, within its sandbox */
    char **argv;                    /* owned; NULL-terminated; of many arguments only the first */
    size_t argc;                    /* of `argv` */
    int64_t start_time_ms;          /* since the epoch */
    int64_t end_time_ms;            /* since the epoch; 0 while it runs */
    struct heel_terminal_size size; /* of its terminal; all 0 where it has none */
    char *terminal_type;            /* owned; "" where it has none */
    bool exited;
    bool settled; /* and its denials are known, those that had to be inferred, too */
    struct command_waiter *waiters; /* borrowed */
    struct heel_exit exit;          /* once exited */
    struct denials denials;         /* so far */
    char *working_dir;              /* owned; where it began, as seen inside; NULL: the sandbox's */
    char *limit_message;            /* owned; about exit.limit; NULL if none ended it */
    Heel__V1__ExitReason reason;    /* why we ended it; UNSPECIFIED if we didn't */
};

/* Of a command (checked) that is being started with this id. */
struct command_facts *command_facts_new(const Heel__V1__Command *request, const char *id,
                                        const char *sandbox_id, uint64_t sequence);
void command_facts_free(struct command_facts *facts); /* NULL is fine */

/* It is over, now. */
void command_facts_end(struct command_facts *facts, const struct heel_exit *exit);

/* And nothing will be known later that isn't now: tells all who wait. Safe to repeat. */
void command_facts_settle(struct command_facts *facts);

/* Has waiter->on_settled run once. It isn't settled yet. */
void command_facts_wait(struct command_facts *facts, struct command_waiter *waiter);
void command_facts_wait_no_more(struct command_waiter *waiter);

static inline bool command_facts_has_terminal(const struct command_facts *facts)
{
    return facts->size.rows > 0;
}

static inline const char *command_facts_program(const struct command_facts *facts)
{
    return facts->argv[0];
}

/* 0; or -1 and *err, RESOURCE_EXHAUSTED: it could not be started because the host or the server
 * lacked something that it may have later. Such a command has no exit status: clients get the
 * error. */
int command_facts_check_start(const struct command_facts *facts, struct heel_error **err);

/* A new message about how it ended. */
Heel__V1__ExitStatus *command_facts_new_status(const struct command_facts *facts);

/* A new message with all but what depends on its readers. */
Heel__V1__Process *command_facts_describe(const struct command_facts *facts);

#endif
