/* A client that speaks just enough HTTP/2 to say what gRPC's own client never would. */
#ifndef GRPCC_TESTS_RAW_PEER_H
#define GRPCC_TESTS_RAW_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "proto/runtime/tests/fixture.h"

struct raw_peer {
    struct fixture *fixture; /* opened with no_channel */
    struct heel_buffer input;
    int64_t connection_window; /* how much may be sent */
    int64_t stream_window;
    int64_t initial_window;
    size_t max_frame;
    bool ended;     /* the server has ended or reset the stream, or closed the connection */
    int status;     /* grpc-status, -1 until it came */
    int reset_code; /* of RST_STREAM, -1 until it came */
};

/* Sends the connection's preface. */
void raw_open(struct raw_peer *peer, struct fixture *fixture);
void raw_close(struct raw_peer *peer);

/* Begins stream 1, a call of this path, with one more header (NULL: none). */
void raw_begin_call(struct raw_peer *peer, const char *path, const char *key, const char *value);

/* Sends data on it, as the server's windows allow; false once the stream has ended. */
bool raw_send(struct raw_peer *peer, const void *data, size_t length, bool last);

/* Runs the server until the stream has ended. */
void raw_finish(struct raw_peer *peer);

#endif
