#include "clients/c/libheel/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/descriptors_left.h"
#include "base/text.h"
#include "clients/c/libheel/address.h"
#include "clients/c/libheel/request.h"

#define CONNECTION_DESCRIPTORS 8 /* gRPC's own among them */

struct heel_client *client_new(const struct client_transport *transport, void *state, char *address,
                               const struct heel_client_options *options)
{
    struct heel_client *client = heel_xcalloc(1, sizeof(*client));

    grpcc_init();
    pthread_mutex_init(&client->lock, NULL);
    client->transport = transport;
    client->transport_state = state;
    client->address = address;
    client->timeout_ms = options->timeout_ms;
    return client;
}

static void connection_unref(struct client_connection *connection)
{
    if (--connection->references)
        return;
    grpcc_channel_free(connection->channel);
    close(connection->watch);
    free(connection);
}

static struct client_connection *connect_now(struct heel_client *client, struct heel_error **err)
{
    struct client_connection *connection;
    heel_autoclose int fd = -1;
    heel_autoclose int watch = -1;

    if (heel_need_descriptors(CONNECTION_DESCRIPTORS, err) ||
        client->transport->connect(client->transport_state, &fd, err))
        return NULL;
    watch = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (watch < 0) {
        heel_error_set_errno(err, errno, "no descriptor to watch the connection with");
        return NULL;
    }
    connection = heel_xcalloc(1, sizeof(*connection));
    connection->references = 1;
    connection->watch = heel_steal_fd(&watch);
    connection->channel = grpcc_channel_from_fd(heel_steal_fd(&fd), NULL);
    return connection;
}

/* A server that was restarted while the client idled is noticed here, before a call has failed
 * because of it. */
static bool is_lost(const struct client_connection *connection)
{
    struct pollfd watched = {.fd = connection->watch, .events = POLLRDHUP};

    return poll(&watched, 1, 0) > 0;
}

static void drop_current(struct heel_client *client)
{
    struct client_connection *connection = client->current;

    client->current = NULL;
    if (connection)
        connection_unref(connection);
}

struct client_connection *client_acquire(struct heel_client *client, struct heel_error **err)
{
    struct client_connection *connection;

    pthread_mutex_lock(&client->lock);
    if (client->current && is_lost(client->current))
        drop_current(client);
    if (!client->current)
        client->current = connect_now(client, err);
    connection = client->current;
    if (connection)
        connection->references++;
    pthread_mutex_unlock(&client->lock);
    return connection;
}

void client_release(struct heel_client *client, struct client_connection *connection, bool lost)
{
    pthread_mutex_lock(&client->lock);
    if (lost && client->current == connection) {
        client->current = NULL;
        connection->references--; /* not the last: the call has one */
    }
    connection_unref(connection);
    pthread_mutex_unlock(&client->lock);
}

static void copy_headers(const struct heel_call *call, struct arena *arena,
                         struct grpcc_call_options *options)
{
    struct grpcc_metadata *metadata = arena_alloc(arena, call->header_count, sizeof(*metadata));

    for (size_t i = 0; i < call->header_count; i++) {
        metadata[i].key = call->headers[i].name;
        metadata[i].value = call->headers[i].value;
        metadata[i].length = strlen(call->headers[i].value);
    }
    options->metadata = metadata;
    options->metadata_count = call->header_count;
}

int client_call_options(struct heel_client *client, const struct heel_call *given,
                        struct arena *arena, struct grpcc_call_options *options,
                        struct heel_error **err)
{
    struct heel_call call;

    if (request_read(&call, sizeof(call), given, "heel_call", err))
        return -1;
    *options = (struct grpcc_call_options){0};
    options->timeout_ms = call.timeout_ms ? call.timeout_ms : client->timeout_ms;
    if (options->timeout_ms < 0)
        options->timeout_ms = 0;
    copy_headers(&call, arena, options);
    return 0;
}

int client_call(struct heel_client *client, const struct grpcc_method *method,
                const ProtobufCMessage *request, const struct heel_call *call,
                ProtobufCMessage **response, struct heel_error **err)
{
    arena_auto struct arena arena = {0};
    grpcc_autostatus struct grpcc_status *status = NULL;
    struct grpcc_call_options options;
    struct client_connection *connection;
    int result;

    if (client_call_options(client, call, &arena, &options, err))
        return -1;
    connection = client_acquire(client, err);
    if (!connection)
        return -1;
    result = grpcc_call_blocking(connection->channel, method, request, &options, response, &status);
    client_release(client, connection, result && status->code == HEEL_UNAVAILABLE);
    return result ? error_from_status(err, status, client->address) : 0;
}

void heel_client_close(struct heel_client *client)
{
    if (!client)
        return;
    drop_current(client);
    client->transport->free(client->transport_state);
    pthread_mutex_destroy(&client->lock);
    free(client->address);
    free(client);
    grpcc_shutdown();
}

/* ---- a server that listens ---- */

struct listening {
    char *path; /* owned */
    bool own_only;
};

static int listening_connect(void *state, int *fd, struct heel_error **err)
{
    const struct listening *listening = state;

    return address_connect(listening->path, listening->own_only, fd, err);
}

static void listening_free(void *state)
{
    struct listening *listening = state;

    free(listening->path);
    free(listening);
}

static const struct client_transport listening_transport = {listening_connect, listening_free};

/* Connects at once, so that a wrong address is an error of the opening and not of the first call.
 */
static int open_connected(struct heel_client *client, struct heel_client **opened,
                          struct heel_error **err)
{
    struct client_connection *connection = client_acquire(client, err);

    if (!connection) {
        heel_client_close(client);
        return -1;
    }
    client_release(client, connection, false);
    *opened = client;
    return 0;
}

int heel_client_open(const char *address, const struct heel_client_options *given,
                     struct heel_client **client, struct heel_error **err)
{
    struct heel_client_options options;
    struct listening *listening;
    char *path;

    if (request_read(&options, sizeof(options), given, "heel_client_options", err))
        return -1;
    if (!address || !*address)
        address = getenv("HEEL_ADDRESS");
    if (!address || !*address)
        address = NULL;
    if (address && address_parse(address, &path, err))
        return -1;
    listening = heel_xcalloc(1, sizeof(*listening));
    listening->own_only = !address;
    listening->path = address ? path : address_default_socket();
    return open_connected(
        client_new(&listening_transport, listening, heel_xstrdup(listening->path), &options),
        client, err);
}

/* ---- a connection that somebody else made ---- */

static int given_connect(void *state, int *fd, struct heel_error **err)
{
    int *given = state;

    if (*given < 0)
        return heel_error_set(
            err, HEEL_UNAVAILABLE, NULL,
            "the connection to the server was lost, and it was one that can't be made again");
    *fd = heel_steal_fd(given);
    return 0;
}

static void given_free(void *state)
{
    heel_cleanup_close(state);
    free(state);
}

static const struct client_transport given_transport = {given_connect, given_free};

int heel_client_open_fd(int fd, const struct heel_client_options *given,
                        struct heel_client **client, struct heel_error **err)
{
    heel_autoclose int connection = fd;
    struct heel_client_options options;
    int *state;

    if (request_read(&options, sizeof(options), given, "heel_client_options", err))
        return -1;
    state = heel_xmalloc(sizeof(*state));
    *state = heel_steal_fd(&connection);
    return open_connected(
        client_new(&given_transport, state, heel_format("descriptor %d", *state), &options), client,
        err);
}
