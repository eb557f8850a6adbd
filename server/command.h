/* A command that runs in a sandbox, as its service sees it: streams, timeout, reason of its end.
 * Who started it reads its output and frees it: RunCommand (rpc_run.c), or the process (process.h)
 * that outlives it. */
#ifndef HEEL_SERVER_COMMAND_H
#define HEEL_SERVER_COMMAND_H

#include "backends/backend.h"
#include "heel/v1/sandbox.pb-c.h"
#include "server/command_facts.h"
#include "server/input.h"
#include "server/output.h"
#include "server/sandboxes.h"

struct server_command;
struct server_process;

/* None of these is run from inside command_start, nor after command_free. */
struct command_events {
    void (*on_started)(struct server_command *command,
                       void *data); /* not run for one that could not be started */
    void (*on_readable)(struct server_command *command,
                        void *data); /* after output_wait on one of its outputs */
    void (*on_input)(struct server_command *command, void *data); /* in.taken grew */
    void (*on_exited)(struct server_command *command,
                      void *data); /* once; its outputs may still hold bytes */
};

struct server_command {
    struct server_command *next;
    struct server_command *previous;
    struct server_sandbox
        *sandbox; /* borrowed; NULL once command_free or the sandbox's end took it out */
    struct command_facts *facts;   /* owned, unless `record` is set */
    struct server_process *record; /* borrowed; what keeps its output; NULL: RunCommand does */
    struct heel_process *process;  /* owned by the backend; NULL once it exited */
    struct output out;
    struct output err;
    struct input in;
    bool lost_terminal; /* no descriptor was left for it: it counts as not started */
    const struct command_events *events;
    void *data;
    uv_timer_t timer;
    unsigned open_handles;
};

/* Where a command began, as seen inside. */
const char *command_working_dir(const struct command_facts *facts,
                                const struct server_sandbox *sandbox);

/* Adds a denial to the command that it belongs to, and to the events. */
void commands_take_denial(struct server_sandbox *sandbox, const struct heel_denial *denial);

/* Starts `request` (checked) in a READY sandbox. NULL and *err: RESOURCE_EXHAUSTED, or what the
 * backend says. */
struct server_command *command_start(struct server_sandbox *sandbox,
                                     const Heel__V1__Command *request, bool want_stdin,
                                     const struct command_events *events, void *data,
                                     struct heel_error **err);

/* Kills it and everything that it started; `reason` is told unless there was one before. on_exited
 * follows. */
void command_kill(struct server_command *command, Heel__V1__ExitReason reason);

void command_signal(struct server_command *command, int signal_number,
                    enum heel_signal_scope scope);

/* 0, or -1 and *err: it has no terminal. One that is over is left alone. */
int command_resize(struct server_command *command, struct heel_terminal_size size,
                   struct heel_error **err);

/* Only after on_exited. */
void command_free(struct server_command *command);

/* The sandbox is about to be destroyed: sets the reason for which its commands end. */
void commands_mark(struct server_sandbox *sandbox, Heel__V1__ExitReason reason);

/* The sandbox is gone: ends every command that has not ended yet. */
void commands_lost(struct server_sandbox *sandbox);

#endif
