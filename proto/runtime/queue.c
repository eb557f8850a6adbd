#include "proto/runtime/internal.h"

#include <pthread.h>
#include <signal.h>

/* How often dispatch looks for what its own callbacks have finished before it lets the loop go on:
 * a fast stream could keep it for ever. */
enum { DISPATCH_ROUNDS = 16 };

struct grpcc_queue {
    grpc_completion_queue *core;         /* owned */
    struct grpcc_waker waker;            /* wake is NULL: the owner polls */
    pthread_t thread;                    /* only with a waker */
    _Atomic(struct grpcc_op *) finished; /* newest first */
};

/* The queue that is being dispatched on this thread. */
static _Thread_local struct grpcc_queue *dispatching;

grpc_completion_queue *grpcc_queue_core(struct grpcc_queue *queue)
{
    return queue->core;
}

void grpcc_queue_post(struct grpcc_queue *queue, struct grpcc_op *op, bool ok)
{
    struct grpcc_op *newest = atomic_load_explicit(&queue->finished, memory_order_relaxed);

    op->ok = ok;
    do {
        op->next = newest;
    } while (!atomic_compare_exchange_weak_explicit(&queue->finished, &newest, op,
                                                    memory_order_release, memory_order_relaxed));
    if (!newest && queue->waker.wake && dispatching != queue)
        queue->waker.wake(queue->waker.context);
}

static void finish_op(struct grpcc_queue *queue, struct grpcc_op *op, bool ok)
{
    if (op->arrive && op->arrive(op, ok))
        return;
    grpcc_queue_post(queue, op, ok);
}

/* Much of what is started is finished at once: the socket takes what is written, the message that
 * is asked for has come before. gRPC then leaves the event on this thread instead of waking another
 * to fetch it, which would wake this one again. */
void grpcc_queue_start(struct grpcc_queue *queue, grpc_call *call, const grpc_op *ops, size_t count,
                       struct grpcc_op *op)
{
    void *tag;
    int ok;
    grpc_call_error error;

    grpc_completion_queue_thread_local_cache_init(queue->core);
    error = grpc_call_start_batch(call, ops, count, op, NULL);
    if (grpc_completion_queue_thread_local_cache_flush(queue->core, &tag, &ok))
        finish_op(queue, tag, ok);
    if (error != GRPC_CALL_OK)
        grpcc_queue_post(queue, op, false);
}

/* The thread of a queue with a waker: it turns gRPC's events into a list for the owner, and does
 * nothing that could block. */
static void *wait_for_events(void *argument)
{
    struct grpcc_queue *queue = argument;
    grpc_event event;

    for (;;) {
        event = grpc_completion_queue_next(queue->core, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return NULL;
        if (event.type == GRPC_OP_COMPLETE)
            finish_op(queue, event.tag, event.success);
    }
}

/* Signals belong to the program's own threads. */
static void start_thread(struct grpcc_queue *queue)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&queue->thread, NULL, wait_for_events, queue) != 0)
        abort();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_setname_np(queue->thread, "grpcc-queue");
}

struct grpcc_queue *grpcc_queue_new(const struct grpcc_waker *waker)
{
    struct grpcc_queue *queue = heel_xcalloc(1, sizeof(*queue));

    queue->core = grpc_completion_queue_create_for_next(NULL);
    if (waker) {
        queue->waker = *waker;
        start_thread(queue);
    }
    return queue;
}

/* The whole list of finished operations, oldest first. */
static struct grpcc_op *take_finished(struct grpcc_queue *queue)
{
    struct grpcc_op *op = atomic_exchange_explicit(&queue->finished, NULL, memory_order_acquire);
    struct grpcc_op *oldest = NULL;

    while (op) {
        struct grpcc_op *next = op->next;

        op->next = oldest;
        oldest = op;
        op = next;
    }
    return oldest;
}

/* One round: returns how many callbacks were run. */
static size_t run_finished(struct grpcc_queue *queue)
{
    size_t count = 0;

    for (struct grpcc_op *op = take_finished(queue), *next; op; op = next, count++) {
        next = op->next;
        op->done(op, op->ok);
    }
    return count;
}

size_t grpcc_queue_dispatch(struct grpcc_queue *queue)
{
    size_t total = 0, count = 1;

    dispatching = queue;
    for (int round = 0; round < DISPATCH_ROUNDS && count; round++) {
        count = run_finished(queue);
        total += count;
    }
    dispatching = NULL;
    /* What was posted meanwhile from this thread has woken nobody. */
    if (queue->waker.wake && atomic_load_explicit(&queue->finished, memory_order_relaxed))
        queue->waker.wake(queue->waker.context);
    return total;
}

/* Without a thread the list seldom holds more than one operation: what was posted, or what has just
 * arrived. The rest goes back on it. */
static bool run_one(struct grpcc_queue *queue)
{
    struct grpcc_op *op = take_finished(queue), *rest = op ? op->next : NULL;

    while (rest) {
        struct grpcc_op *next = rest->next;

        grpcc_queue_post(queue, rest, rest->ok);
        rest = next;
    }
    if (op)
        op->done(op, op->ok);
    return op;
}

bool grpcc_queue_poll(struct grpcc_queue *queue, int64_t timeout_ms)
{
    gpr_timespec deadline = timeout_ms < 0
                                ? gpr_inf_future(GPR_CLOCK_MONOTONIC)
                                : gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                               gpr_time_from_millis(timeout_ms, GPR_TIMESPAN));

    while (!run_one(queue)) {
        grpc_event event = grpc_completion_queue_next(queue->core, deadline, NULL);

        if (event.type != GRPC_OP_COMPLETE)
            return false;
        finish_op(queue, event.tag, event.success);
    }
    return true;
}

void grpcc_queue_free(struct grpcc_queue *queue)
{
    if (!queue)
        return;
    grpc_completion_queue_shutdown(queue->core);
    if (queue->waker.wake)
        pthread_join(queue->thread, NULL);
    else
        while (grpcc_queue_poll(queue, -1))
            ;
    while (run_finished(queue))
        ;
    grpc_completion_queue_destroy(queue->core);
    free(queue);
}
