/* What the parts of Exec share: the stream (exec.c), its standard input (exec_input.c), the wait
 * for it (exec_run.c), also in a thread (exec_thread.c). */
#ifndef HEEL_LIBHEEL_EXEC_H
#define HEEL_LIBHEEL_EXEC_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/text.h"
#include "clients/c/libheel/arena.h"
#include "clients/c/libheel/client.h"
#include "heel/v1/sandbox.grpc-c.h"

/* Standard input that is on its way.
 *
 * One request is written at a time, and the server takes the next one only when the program has
 * taken this one. So a program that doesn't read would hold up every signal behind its standard
 * input; therefore bytes are only sent within a window beyond what the server says was taken. */
struct exec_input {
    struct heel_buffer pending; /* taken from the caller, not sent */
    size_t pending_start;       /* where in it what was not sent begins */
    uint64_t sent;
    uint64_t taken; /* by the program, as the server told */
    bool starved;   /* the caller was told that there is no room */
    bool close_wanted;
    bool close_sent;
};

struct heel_exec {
    struct heel_client *client;           /* borrowed: must outlive this */
    struct client_connection *connection; /* one reference */
    struct grpcc_queue *queue;            /* owned */
    struct grpcc_stream *stream;          /* gone once `over` */
    int wake;                             /* an eventfd; owned */
    struct heel_exec_events events;
    void *data;
    /* gets all output instead of the events' callbacks, while it is set */
    void (*redirected)(struct heel_exec *exec, struct heel_bytes output, void *data);
    void *redirected_data;
    void (*observe)(const Heel__V1__ExecResponse *response,
                    void *data); /* sees every message first; may be NULL */

    struct exec_input input;
    bool attached; /* the stream is Attach's, whose messages mirror Exec's */
    bool writing;  /* one request is on its way */
    bool held;
    bool read_wanted; /* when released */
    bool over;
    bool exited;                    /* `status` is set */
    struct heel_exit_status status; /* its message is owned */
    struct heel_usage usage;
    struct arena arena; /* of what follows */
    struct heel_denials denials;
    struct heel_acting_files acting_files;
    struct heel_error *error; /* owned; why it failed */
    int forwarded;            /* the descriptor of heel_exec_forward; negative for none */
    pthread_t thread;         /* of heel_exec_run_in_thread, if `threaded` */
    bool threaded;

    /* Set from signal handlers and other threads; `wake` tells of them. */
    _Atomic uint64_t signals; /* bit N - 1 for signal N */
    _Atomic uint32_t size;    /* of the terminal: rows << 16 | columns; 0: nothing to be told */
    atomic_bool cancelled;
};

/* Starts the write that is due, if none is on its way: signals first, then standard input, then its
 * end. */
void exec_write_next(struct heel_exec *exec);

/* The next request for standard input or its end. False if there is none, or not yet. */
bool exec_input_next(struct heel_exec *exec, Heel__V1__ExecRequest *request);

/* After a write: tells a caller who waits for room that there is some. */
void exec_input_progress(struct heel_exec *exec);

/* The program has taken all up to `offset`. */
void exec_input_taken(struct heel_exec *exec, uint64_t offset);

/* How many more bytes heel_exec_write would take. */
size_t exec_input_room(const struct heel_exec *exec);

/* Runs callbacks until the command is over. */
void exec_loop(struct heel_exec *exec);

/* Waits for the end of the exec's thread, if there is one. */
void exec_join(struct heel_exec *exec);

/* All output, both streams', goes to `on_output` from now on; NULL: to the events again. */
void exec_redirect(struct heel_exec *exec,
                   void (*on_output)(struct heel_exec *exec, struct heel_bytes output, void *data),
                   void *data);

/* heelcli prints the messages themselves as JSON. Before the first dispatch. */
void exec_observe(struct heel_exec *exec,
                  void (*observe)(const Heel__V1__ExecResponse *response, void *data));

#endif
