/* A client and its connection: what every call goes through. */
#ifndef HEEL_LIBHEEL_CLIENT_H
#define HEEL_LIBHEEL_CLIENT_H

#include <protobuf-c/protobuf-c.h>
#include <pthread.h>

#include "clients/c/libheel/arena.h"
#include "clients/c/libheel/error.h"
#include "clients/c/libheel/heel/heel.h"
#include "proto/runtime/grpcc.h"

/* How a kind of client gets a socket that leads to its server. */
struct client_transport {
    /* 0 and *fd, or -1 and *err. One call at a time. */
    int (*connect)(void *state, int *fd, struct heel_error **err);
    void (*free)(void *state);
};

/* A connection, shared by the calls that run on it. */
struct client_connection {
    struct grpcc_channel *channel; /* owned */
    int watch;           /* a duplicate of its socket that tells when the peer is gone; owned */
    unsigned references; /* guarded by the client's lock */
};

struct heel_client {
    pthread_mutex_t lock;
    struct client_connection
        *current; /* guarded by lock; NULL while there is none; holds one reference */
    const struct client_transport *transport;
    void *transport_state; /* owned */
    char *address;         /* owned; names the server in messages */
    int64_t timeout_ms;
};

/* A client that is not connected yet. It owns `state` and `address` (from malloc). */
struct heel_client *client_new(const struct client_transport *transport, void *state, char *address,
                               const struct heel_client_options *options);

/* The connection for one call, made now if there is none. Give it back with client_release, telling
 * whether it was lost. NULL and *err where no server can be reached. */
struct client_connection *client_acquire(struct heel_client *client, struct heel_error **err);
void client_release(struct heel_client *client, struct client_connection *connection, bool lost);

/* The runtime's options for a call; headers live in the arena. */
int client_call_options(struct heel_client *client, const struct heel_call *call,
                        struct arena *arena, struct grpcc_call_options *options,
                        struct heel_error **err);

/* One unary call. 0 and *response, the caller's to free with protobuf_c_message_free_unpacked, or
 * -1 and *err. */
int client_call(struct heel_client *client, const struct grpcc_method *method,
                const ProtobufCMessage *request, const struct heel_call *call,
                ProtobufCMessage **response, struct heel_error **err);

#endif
