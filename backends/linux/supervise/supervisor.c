/* A connect() in a sandbox stops in the kernel, which tells the listener. From there:
 *
 *     on_pending    a call is received only when a hand is free for it, or can be had
 *     request       the caller's socket and memory go to that hand, which reads the address
 *     on_found      a path: the hand has seen what it leads to, and the decision is taken
 *     on_done       the hand has made the connect, and the caller gets its result
 *
 * No call is ever continued: the caller could change address and descriptor behind the decision. So
 * what is decided on is what the hand has, and the hand connects exactly that. Whoever dies on the
 * way, a hand or heeld, the caller gets an error and no connection that was not decided on.
 *
 * A connect that blocks keeps its hand busy, and nobody else: there are up to HANDS_MAX. When all
 * have been busy for a while further calls are answered EAGAIN, not left waiting. */
#include "backends/linux/supervise/supervisor.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/linux/messages/protocol.h"
#include "backends/linux/supervise/closer.h"
#include "backends/linux/supervise/connect_decide.h"
#include "backends/linux/supervise/supervised_call.h"

#define HANDS_MAX 8
#define TICK_MS 100  /* between looks at what is busy */
#define IDLE_MS 5000 /* after which the last hand goes */
#define PATIENCE_MS \
    2000 /* how long a call waits for a free hand; longer than a busy machine takes */

struct hand {
    struct hand *next;
    struct linux_supervisor *supervisor;
    uint32_t id;
    struct heel_channel channel;
    bool busy;
    /* while it is: */
    uint32_t errand;
    struct heel_supervised_call call;
    int domain; /* of the socket */
    int type;
};

struct linux_supervisor {
    uv_loop_t *loop;
    int listener; /* owned */
    uv_poll_t poll;
    uv_timer_t timer; /* runs while a call is under way, and then until the last hand is let go */
    struct heel_channel *control; /* borrowed; the sandbox's init's */
    struct heel_closer *closer;   /* owned */
    struct hand *hands;           /* owned */
    unsigned hand_count;
    unsigned hands_alive; /* with those that are let go and not gone yet */
    bool
        ticking; /* the timer runs every TICK_MS; else it runs once, after IDLE_MS, or not at all */
    uint32_t last_id;       /* of hands and of errands */
    bool held_up;           /* a call waits for a hand, or for the closer */
    uint64_t held_up_since; /* 0: no call waits, or the last one did not have to */
    bool overloaded;        /* it has waited for too long */
    linux_on_refused *on_refused;
    void *refused_data;
    struct heel_denial_rate *denials; /* borrowed; limits how often on_refused is run */
    unsigned closing;                 /* handles */
    void (*on_closed)(void *data);
    void *closed_data;
};

static void on_pending(uv_poll_t *poll, int status, int events);
static void on_tick(uv_timer_t *timer);

static void listen_on(struct linux_supervisor *supervisor)
{
    uv_poll_start(&supervisor->poll, UV_READABLE, on_pending);
}

static void keep_time(struct linux_supervisor *supervisor)
{
    if (!supervisor->ticking)
        uv_timer_start(&supervisor->timer, on_tick, TICK_MS, TICK_MS);
    supervisor->ticking = true;
}

/* ---- telling of refusals ---- */

/* The caller is still waiting, so its number is still its own. */
static void tell_of_refusal(const struct hand *hand, const struct heel_connect *connect,
                            const struct heel_connect_refusal *refusal)
{
    struct linux_supervisor *supervisor = hand->supervisor;
    heel_autobuffer struct heel_buffer target = {0};
    heel_autofree char *program = NULL;
    struct heel_denial denial = {
        .kind = HEEL_DENIAL_OBSERVED,
        .right = "connect",
        .rule = refusal->rule,
        .remedy = refusal->remedy,
    };

    if (!supervisor->on_refused ||
        !heel_denial_rate_take(supervisor->denials, uv_now(supervisor->loop)))
        return;
    heel_connect_print(connect, &target);
    program = heel_supervised_program(&hand->call);
    denial.pid = heel_supervised_pid(&hand->call);
    denial.program = program;
    denial.target = target.data ? target.data : "";
    supervisor->on_refused(&denial, hand->call.thread, supervisor->refused_data);
}

/* ---- hands ---- */

static void on_handle_closed(struct linux_supervisor *supervisor)
{
    void (*on_closed)(void *data) = supervisor->on_closed;
    void *data = supervisor->closed_data;

    if (--supervisor->closing > 0 || !on_closed)
        return;
    heel_closer_free(supervisor->closer);
    free(supervisor);
    on_closed(data);
}

static void on_hand_closed(uv_handle_t *handle)
{
    struct hand *hand = handle->data;
    struct linux_supervisor *supervisor = hand->supervisor;

    free(hand);
    on_handle_closed(supervisor);
}

static void let_go(struct hand *hand)
{
    struct linux_supervisor *supervisor = hand->supervisor;
    struct hand **at = &supervisor->hands;

    while (*at != hand)
        at = &(*at)->next;
    *at = hand->next;
    supervisor->hand_count--;
    supervisor->closing++;
    hand->channel.poll.data = hand;
    heel_channel_close(&hand->channel, on_hand_closed);
}

/* It would end by itself once its socket is closed, unless it is blocked or somebody has stopped
 * it.
 */
static void stop_hand(struct hand *hand)
{
    struct heel_message message = {.type = HEEL_INIT_STOP_HAND, .id = hand->id};

    heel_channel_send(hand->supervisor->control, &message);
    let_go(hand);
}

/* Its errand is over, and it is free for the next. */
static void finish(struct hand *hand, int error)
{
    struct linux_supervisor *supervisor = hand->supervisor;

    heel_supervised_answer(supervisor->listener, hand->call.id, error);
    hand->busy = false;
    supervisor->overloaded = false;
    if (supervisor->held_up) {
        supervisor->held_up = false;
        listen_on(supervisor);
    }
}

/* The hand sent garbage, or its socket is closed: code inside may have killed it. */
static void give_up_on(struct hand *hand)
{
    if (hand->busy)
        finish(hand, ECONNREFUSED);
    stop_hand(hand);
}

/* ---- what a hand says ---- */

static struct heel_connect connect_of(const struct hand *hand,
                                      const struct heel_hand_finding *finding)
{
    return (struct heel_connect){hand->domain, hand->type, finding->name, finding->length};
}

/* 0; or -1: the hand could not be told. */
static int tell(struct hand *hand, uint32_t type)
{
    struct heel_message message = {.type = type, .id = hand->errand};

    return heel_message_send(hand->channel.fd, &message);
}

static int on_found(struct hand *hand, const struct heel_hand_finding *finding)
{
    struct heel_connect connect = connect_of(hand, finding);
    struct heel_connect_refusal refusal;
    int error = heel_connect_decide(&connect, finding->bound_here, &refusal);

    if (error == 0)
        return tell(hand, HEEL_HAND_GO);
    tell_of_refusal(hand, &connect, &refusal);
    finish(hand, error);
    return tell(hand, HEEL_HAND_DROP);
}

static int on_done(struct hand *hand, const struct heel_hand_finding *finding)
{
    struct heel_connect connect = connect_of(hand, finding);
    struct heel_connect_refusal refusal;

    if (heel_connect_was_cut_off(&connect, finding->error, &refusal))
        tell_of_refusal(hand, &connect, &refusal);
    finish(hand, finding->error);
    return 0;
}

/* If the pid or the directory can't be had the hand gets none, and refuses the connect. */
static int on_wants_caller(struct hand *hand, const struct heel_hand_finding *finding)
{
    struct heel_connect connect = connect_of(hand, finding);
    heel_autobuffer struct heel_buffer payload = {0};
    struct heel_message message = {.type = HEEL_HAND_CALLER, .id = hand->errand};
    heel_autoclose int directory = -1;

    if (heel_connect_path_is_absolute(&connect))
        heel_put_u32(&payload, (uint32_t)heel_supervised_pid(&hand->call));
    else
        directory = heel_supervised_open_directory(&hand->call);
    message.payload = payload.data;
    message.length = payload.length;
    if (directory >= 0)
        message.fds[message.fd_count++] = directory;
    if (!heel_supervised_waiting(hand->supervisor->listener, hand->call.id))
        return -1;
    return heel_message_send(hand->channel.fd, &message);
}

static const struct {
    uint32_t type;
    int (*handle)(struct hand *hand, const struct heel_hand_finding *finding);
} sayings[] = {
    {HEEL_HAND_FOUND, on_found},
    {HEEL_HAND_DONE, on_done},
    {HEEL_HAND_WANTS_CALLER, on_wants_caller},
};

static int take_saying(struct hand *hand, const struct heel_message *message)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    struct heel_hand_finding finding;

    if (!hand->busy || message->id != hand->errand || heel_get_hand_finding(&reader, &finding))
        return -1;
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(sayings); i++)
        if (sayings[i].type == message->type)
            return sayings[i].handle(hand, &finding);
    return -1;
}

static void on_hand_message(struct heel_channel *channel, struct heel_message *message)
{
    struct hand *hand = heel_container_of(channel, struct hand, channel);

    if (take_saying(hand, message))
        give_up_on(hand);
}

static void on_hand_end(struct heel_channel *channel)
{
    give_up_on(heel_container_of(channel, struct hand, channel));
}

/* ---- finding one ---- */

static struct hand *idle_hand(const struct linux_supervisor *supervisor)
{
    struct hand *hand = supervisor->hands;

    while (hand && hand->busy)
        hand = hand->next;
    return hand;
}

/* A hand can be sent a request before init has forked it: the message waits in the socket. If it is
 * never forked the socket is closed. */
static struct hand *new_hand(struct linux_supervisor *supervisor)
{
    struct heel_message message = {.type = HEEL_INIT_HAND};
    struct hand *hand;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return NULL;
    hand = heel_xcalloc(1, sizeof *hand);
    hand->supervisor = supervisor;
    hand->id = ++supervisor->last_id;
    if (heel_channel_open(&hand->channel, supervisor->loop, ends[0], on_hand_message, on_hand_end,
                          NULL)) {
        close(ends[1]);
        free(hand);
        return NULL;
    }
    message.id = hand->id;
    message.fds[message.fd_count++] = ends[1];
    heel_channel_send(supervisor->control, &message);
    hand->next = supervisor->hands;
    supervisor->hands = hand;
    supervisor->hand_count++;
    supervisor->hands_alive++;
    return hand;
}

static struct hand *find_hand(struct linux_supervisor *supervisor)
{
    struct hand *hand = idle_hand(supervisor);

    return hand || supervisor->hand_count == HANDS_MAX ? hand : new_hand(supervisor);
}

/* ---- a call ---- */

static int number_option(int socket, int option)
{
    int value = -1;
    socklen_t length = sizeof value;

    return getsockopt(socket, SOL_SOCKET, option, &value, &length) ? -1 : value;
}

/* Sends the hand the request. 0, or an errno for the caller. */
static int send_request(struct hand *hand, int socket)
{
    struct heel_supervised_call *call = &hand->call;
    struct heel_hand_request request = {hand->domain, call->address, (uint32_t)call->length};
    heel_autoclose int memory = heel_supervised_open_memory(call);
    heel_autobuffer struct heel_buffer payload = {0};
    struct heel_message message = {.type = HEEL_HAND_CONNECT, .fds = {socket, memory}};

    if (memory < 0)
        return EACCES;
    message.id = hand->errand = ++hand->supervisor->last_id;
    message.fd_count = 2;
    heel_put_hand_request(&payload, &request);
    message.payload = payload.data;
    message.length = payload.length;
    if (!heel_supervised_waiting(hand->supervisor->listener, call->id))
        return EINTR; /* the caller is gone, and what was fetched by its pid may be another's;
                         nobody gets this errno */
    return heel_message_send(hand->channel.fd, &message) ? ECONNREFUSED : 0;
}

/* The same order of errors as the kernel's. */
static int request(struct hand *hand, int socket)
{
    hand->domain = number_option(socket, SO_DOMAIN);
    hand->type = number_option(socket, SO_TYPE);
    if (hand->domain < 0 || hand->type < 0)
        return ENOTSOCK;
    if (hand->call.length < 0 || hand->call.length > HEEL_HAND_NAME_MAX)
        return EINVAL;
    return send_request(hand, socket);
}

/* The caller has reserved room with the closer; this uses it. */
static int begin(struct hand *hand)
{
    int socket = -1;
    int error = heel_supervised_fetch_socket(&hand->call, &socket);

    if (error == 0)
        error = request(hand, socket);
    heel_closer_take(hand->supervisor->closer, socket);
    return error;
}

static void take_call(struct linux_supervisor *supervisor, struct hand *hand)
{
    int error;

    if (heel_supervised_receive(supervisor->listener, &hand->call)) {
        heel_closer_take(supervisor->closer, -1);
        return;
    }
    supervisor->held_up_since = 0;
    hand->busy = true;
    error = begin(hand);
    if (error)
        finish(hand, error);
    else
        keep_time(supervisor);
}

static void refuse_call(struct linux_supervisor *supervisor)
{
    struct heel_supervised_call call;

    if (heel_supervised_receive(supervisor->listener, &call) == 0)
        heel_supervised_answer(supervisor->listener, call.id, EAGAIN);
}

/* It is not received yet, so that its caller can still be interrupted. */
static void hold_up(struct linux_supervisor *supervisor)
{
    supervisor->held_up = true;
    if (supervisor->held_up_since == 0)
        supervisor->held_up_since = uv_now(supervisor->loop);
    uv_poll_stop(&supervisor->poll);
    keep_time(supervisor);
}

/* A hand that can take a call, for whose socket there is room with the closer; or NULL. */
static struct hand *reserve_hand(struct linux_supervisor *supervisor)
{
    struct hand *hand;

    if (!heel_closer_reserve(supervisor->closer))
        return NULL;
    hand = find_hand(supervisor);
    if (!hand)
        heel_closer_take(supervisor->closer, -1);
    return hand;
}

/* One call at a time, so that a sandbox which makes many holds up the loop no longer than others.
 */
static void on_pending(uv_poll_t *poll, int status, int events)
{
    struct linux_supervisor *supervisor = heel_container_of(poll, struct linux_supervisor, poll);
    struct hand *hand;
    bool gone;

    (void)events;
    if (!heel_supervised_pending(supervisor->listener, &gone)) {
        supervisor->held_up_since = 0;
        if (gone || status < 0)
            uv_poll_stop(poll);
        return;
    }
    hand = reserve_hand(supervisor);
    if (hand)
        take_call(supervisor, hand);
    else if (supervisor->overloaded)
        refuse_call(supervisor);
    else
        hold_up(supervisor);
}

/* ---- time ---- */

/* A caller can die while a hand is at its errand. */
static bool stop_the_pointless(struct linux_supervisor *supervisor)
{
    bool busy = false;

    for (struct hand *hand = supervisor->hands, *next; hand; hand = next) {
        next = hand->next;
        if (hand->busy && !heel_supervised_waiting(supervisor->listener, hand->call.id))
            give_up_on(hand);
        else
            busy = busy || hand->busy;
    }
    return busy;
}

/* Perhaps there is room by now. */
static void try_again(struct linux_supervisor *supervisor)
{
    supervisor->held_up = false;
    supervisor->overloaded = uv_now(supervisor->loop) - supervisor->held_up_since >= PATIENCE_MS;
    listen_on(supervisor);
}

static void on_idle(uv_timer_t *timer)
{
    struct linux_supervisor *supervisor = heel_container_of(timer, struct linux_supervisor, timer);

    while (supervisor->hands)
        stop_hand(supervisor->hands);
}

static void on_tick(uv_timer_t *timer)
{
    struct linux_supervisor *supervisor = heel_container_of(timer, struct linux_supervisor, timer);
    bool busy = stop_the_pointless(supervisor);

    if (supervisor->held_up) {
        try_again(supervisor);
        return;
    }
    if (busy)
        return;
    while (supervisor->hand_count > 1)
        stop_hand(supervisor->hands);
    supervisor->ticking = false;
    uv_timer_start(timer, on_idle, IDLE_MS, 0);
}

/* ---- beginning and end ---- */

struct linux_supervisor *linux_supervisor_open(uv_loop_t *loop, int listener,
                                               struct heel_channel *control,
                                               struct heel_error **err)
{
    struct linux_supervisor *supervisor = heel_xcalloc(1, sizeof *supervisor);
    int result = uv_poll_init(loop, &supervisor->poll, listener);

    if (result) {
        close(listener);
        free(supervisor);
        heel_error_set_errno(err, -result, "cannot watch a sandbox's connects");
        return NULL;
    }
    uv_timer_init(loop, &supervisor->timer);
    supervisor->loop = loop;
    supervisor->listener = listener;
    supervisor->control = control;
    supervisor->closer = heel_closer_new();
    listen_on(supervisor);
    return supervisor;
}

void linux_supervisor_hand_gone(struct linux_supervisor *supervisor)
{
    if (supervisor->hands_alive > 0)
        supervisor->hands_alive--;
}

unsigned linux_supervisor_hands(const struct linux_supervisor *supervisor)
{
    return supervisor->hands_alive;
}

void linux_supervisor_watch(struct linux_supervisor *supervisor, struct heel_denial_rate *rate,
                            linux_on_refused *on_refused, void *data)
{
    supervisor->denials = rate;
    supervisor->on_refused = on_refused;
    supervisor->refused_data = data;
}

static void on_own_handle_closed(uv_handle_t *handle)
{
    on_handle_closed(handle->data);
}

void linux_supervisor_close(struct linux_supervisor *supervisor, void (*on_closed)(void *data),
                            void *data)
{
    supervisor->on_closed = on_closed;
    supervisor->closed_data = data;
    while (supervisor->hands)
        let_go(supervisor->hands);
    supervisor->closing += 2;
    supervisor->poll.data = supervisor->timer.data = supervisor;
    uv_close((uv_handle_t *)&supervisor->timer, on_own_handle_closed);
    uv_close((uv_handle_t *)&supervisor->poll, on_own_handle_closed);
    close(supervisor->listener);
}
