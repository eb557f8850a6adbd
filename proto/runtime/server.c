#include "proto/runtime/internal.h"

#include <fcntl.h>
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>
#include <string.h>

/* A call is taken in and its slot re-armed by the thread that waits for gRPC, so few are enough for
 * any burst. */
enum { SLOTS = 2 };

enum {
    DEFAULT_MAX_RECEIVE_BYTES = 4 << 20,
    DEFAULT_MAX_BUFFERED_BYTES = 64 << 20,
    DEFAULT_WINDOW_BYTES = 128 << 10,
    MIN_CLIENT_PING_MS = 10000,
    DEFAULT_MAX_WIRE_DEPTH = 32,
    DEFAULT_MAX_WIRE_ELEMENTS = 262144,
};

/* A standing request for the next call. */
struct slot {
    struct grpcc_op op;
    struct grpcc_server *server; /* held while armed */
    grpc_call *core;
    grpc_call_details details;
    grpc_metadata_array metadata;
};

struct grpcc_server {
    grpc_server *core;         /* owned */
    struct grpcc_queue *queue; /* borrowed */
    struct grpcc_wire_limits limits;
    struct grpcc_route *routes; /* owned; sorted by path once started */
    size_t route_count;
    struct slot slots[SLOTS];
    /* What is in flight: armed slots, calls, and one for "not drained yet". The last one out runs
     * on_drained. */
    atomic_size_t in_flight;
    struct grpcc_op shutdown_op;
    struct grpcc_op drained_op;
    bool draining;
    void (*on_drained)(void *context);
    void *on_drained_context;
};

const struct grpcc_wire_limits grpcc_default_wire_limits = {DEFAULT_MAX_WIRE_DEPTH,
                                                            DEFAULT_MAX_WIRE_ELEMENTS};

struct grpcc_queue *grpcc_server_queue(const struct grpcc_server *server)
{
    return server->queue;
}

const struct grpcc_wire_limits *grpcc_server_wire_limits(const struct grpcc_server *server)
{
    return &server->limits;
}

/* ---- life ---- */

void grpcc_server_hold(struct grpcc_server *server)
{
    atomic_fetch_add_explicit(&server->in_flight, 1, memory_order_relaxed);
}

void grpcc_server_release(struct grpcc_server *server)
{
    if (atomic_fetch_sub_explicit(&server->in_flight, 1, memory_order_acq_rel) == 1)
        grpcc_queue_post(server->queue, &server->drained_op, true);
}

static void drained_done(struct grpcc_op *op, bool ok)
{
    struct grpcc_server *server = heel_container_of(op, struct grpcc_server, drained_op);

    (void)ok;
    if (server->on_drained)
        server->on_drained(server->on_drained_context);
}

static void shutdown_done(struct grpcc_op *op, bool ok)
{
    (void)ok;
    grpcc_server_release(heel_container_of(op, struct grpcc_server, shutdown_op));
}

/* gRPC takes a message in as a whole, however long it says it is, before it looks at the limit: 211
 * MB were held for one with a limit of 4. A quota bounds what a server's connections hold together,
 * and cuts streams that would exceed it. */
static grpc_resource_quota *new_quota(size_t bytes)
{
    grpc_resource_quota *quota = grpc_resource_quota_create("grpcc_server");

    grpc_resource_quota_resize(quota, bytes);
    return quota;
}

static size_t or_default(size_t value, size_t otherwise)
{
    return value ? value : otherwise;
}

/* Without bandwidth probing a stream's window stays what it is; probed, each stalled stream would
 * hold 4 MB. */
static grpc_server *create_core(const struct grpcc_server_options *options)
{
    struct grpcc_args args = {0};
    grpc_resource_quota *quota =
        new_quota(or_default(options->max_buffered_bytes, DEFAULT_MAX_BUFFERED_BYTES));
    grpc_channel_args all;
    grpc_server *core;

    grpcc_args_add(&args, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
                   or_default(options->max_receive_bytes, DEFAULT_MAX_RECEIVE_BYTES));
    grpcc_args_add(&args, GRPC_ARG_HTTP2_BDP_PROBE, 0);
    grpcc_args_add(&args, GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES,
                   or_default(options->window_bytes, DEFAULT_WINDOW_BYTES));
    grpcc_args_add(&args, GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    grpcc_args_add(&args, GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                   MIN_CLIENT_PING_MS);
    if (options->max_concurrent_streams)
        grpcc_args_add(&args, GRPC_ARG_MAX_CONCURRENT_STREAMS, options->max_concurrent_streams);
    grpcc_args_add_common(&args, options->keepalive_ms, options->keepalive_timeout_ms);
    args.entries[args.count++] = (grpc_arg){
        .type = GRPC_ARG_POINTER,
        .key = (char *)(uintptr_t)GRPC_ARG_RESOURCE_QUOTA,
        .value.pointer = {.p = quota, .vtable = grpc_resource_quota_arg_vtable()},
    };
    all = (grpc_channel_args){.num_args = args.count, .args = args.entries};
    core = grpc_server_create(&all, NULL);
    grpc_resource_quota_unref(quota);
    return core;
}

struct grpcc_server *grpcc_server_new(struct grpcc_queue *queue,
                                      const struct grpcc_server_options *options)
{
    static const struct grpcc_server_options defaults;
    struct grpcc_server *server = heel_xcalloc(1, sizeof(*server));

    if (!options)
        options = &defaults;
    server->queue = queue;
    server->limits = grpcc_default_wire_limits;
    if (options->max_wire_depth)
        server->limits.max_depth = options->max_wire_depth;
    if (options->max_wire_elements)
        server->limits.max_elements = options->max_wire_elements;
    server->core = create_core(options);
    server->shutdown_op = (struct grpcc_op){.done = shutdown_done};
    server->drained_op = (struct grpcc_op){.done = drained_done};
    atomic_init(&server->in_flight, 1);
    grpc_server_register_completion_queue(server->core, grpcc_queue_core(queue), NULL);
    return server;
}

void grpcc_server_free(struct grpcc_server *server)
{
    if (!server)
        return;
    grpcc_contract(atomic_load(&server->in_flight) == 0);
    grpc_server_destroy(server->core);
    free(server->routes);
    free(server);
}

void grpcc_server_drain(struct grpcc_server *server, void (*on_drained)(void *context),
                        void *context)
{
    grpcc_contract(!server->draining);
    server->draining = true;
    server->on_drained = on_drained;
    server->on_drained_context = context;
    grpc_server_shutdown_and_notify(server->core, grpcc_queue_core(server->queue),
                                    &server->shutdown_op);
}

void grpcc_server_cancel_all(struct grpcc_server *server)
{
    grpcc_contract(server->draining);
    grpc_server_cancel_all_calls(server->core);
}

/* ---- routes ---- */

void grpcc_server_register(struct grpcc_server *server, const struct grpcc_method *method,
                           union grpcc_handler handler, void *service)
{
    if (!handler.unary)
        return;
    server->routes =
        heel_xrealloc(server->routes, server->route_count + 1, sizeof(*server->routes));
    server->routes[server->route_count++] = (struct grpcc_route){method, handler, service};
}

static int compare_routes(const void *left, const void *right)
{
    const struct grpcc_route *a = left, *b = right;

    return strcmp(a->method->path, b->method->path);
}

static int compare_path(const void *key, const void *element)
{
    const grpc_slice *path = key;
    const struct grpcc_route *route = element;
    size_t length = GRPC_SLICE_LENGTH(*path);
    int order = strncmp((const char *)GRPC_SLICE_START_PTR(*path), route->method->path, length);

    return order ? order : -(route->method->path[length] != '\0');
}

/* ---- calls come in ---- */

static void arm(struct slot *slot)
{
    grpc_completion_queue *cq = grpcc_queue_core(slot->server->queue);

    grpc_call_details_init(&slot->details);
    grpc_metadata_array_init(&slot->metadata);
    /* Refused once the server shuts down, which looks like a request that failed. */
    if (grpc_server_request_call(slot->server->core, &slot->core, &slot->details, &slot->metadata,
                                 cq, cq, &slot->op) != GRPC_CALL_OK)
        grpcc_queue_post(slot->server->queue, &slot->op, false);
}

/* The request was withdrawn: the server is shutting down. */
static void slot_done(struct grpcc_op *op, bool ok)
{
    struct slot *slot = heel_container_of(op, struct slot, op);

    (void)ok;
    grpc_call_details_destroy(&slot->details);
    grpc_metadata_array_destroy(&slot->metadata);
    grpcc_server_release(slot->server);
}

static bool slot_arrive(struct grpcc_op *op, bool ok)
{
    struct slot *slot = heel_container_of(op, struct slot, op);
    struct grpcc_server *server = slot->server;
    struct grpcc_arrival arrival = {.server = server,
                                    .core = slot->core,
                                    .deadline = slot->details.deadline,
                                    .metadata = slot->metadata};

    if (!ok)
        return false;
    arrival.route = bsearch(&slot->details.method, server->routes, server->route_count,
                            sizeof(*server->routes), compare_path);
    grpc_call_details_destroy(&slot->details);
    if (!arrival.route || arrival.route->method->kind == GRPCC_UNARY)
        grpcc_unary_begin(&arrival);
    else
        grpcc_server_stream_begin(&arrival);
    arm(slot);
    return true;
}

void grpcc_server_start(struct grpcc_server *server)
{
    if (server->route_count)
        qsort(server->routes, server->route_count, sizeof(*server->routes), compare_routes);
    grpc_server_start(server->core);
    for (size_t i = 0; i < SLOTS; i++) {
        server->slots[i].op = (struct grpcc_op){.done = slot_done, .arrive = slot_arrive};
        server->slots[i].server = server;
        grpcc_server_hold(server);
        arm(&server->slots[i]);
    }
}

void grpcc_server_add_connection(struct grpcc_server *server, int fd)
{
    grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();

    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    grpc_server_add_channel_from_fd(server->core, fd, credentials);
    grpc_server_credentials_release(credentials);
}
