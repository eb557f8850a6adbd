/* Peers that mean harm: messages far larger than allowed, and compressed ones. */
#include "base/test.h"
#include "proto/runtime/tests/raw_peer.h"

enum { BLOCK = 1 << 20, MAX_BUFFERED = 16 << 20 };

static const char unary[] = "/grpcc.echo.EchoService/Unary";

static void open_both(struct fixture *fixture, struct raw_peer *peer)
{
    struct fixture_options options = {
        .no_channel = true,
        .server = {.max_receive_bytes = 1 << 20, .max_buffered_bytes = MAX_BUFFERED},
    };

    fixture_open(fixture, &options);
    raw_open(peer, fixture);
}

static void close_both(struct fixture *fixture, struct raw_peer *peer)
{
    raw_close(peer);
    fixture_close(fixture);
}

/* That the peer itself works: a message of no bytes is answered with OK. */
static void test_good_call(void)
{
    struct fixture fixture;
    struct raw_peer peer;

    open_both(&fixture, &peer);
    raw_begin_call(&peer, unary, NULL, NULL);
    raw_send(&peer, "\0\0\0\0\0", 5, true);
    raw_finish(&peer);
    CHECK_INT(peer.status, 0);
    CHECK_INT(fixture.service.begun, 1);
    close_both(&fixture, &peer);
}

/* 1 GiB is announced, and sent for as long as the server takes it. */
static void test_endless_message(void)
{
    static char block[BLOCK];
    struct fixture fixture;
    struct raw_peer peer;
    size_t taken = 0;

    open_both(&fixture, &peer);
    raw_begin_call(&peer, unary, NULL, NULL);
    raw_send(&peer, "\0\x40\0\0\0", 5, false);
    while (taken < (size_t)1 << 30 && raw_send(&peer, block, BLOCK, false))
        taken += BLOCK;
    printf("of a message of 1 GiB %zu MiB were taken\n", taken >> 20);
    CHECK(taken < 2 * MAX_BUFFERED);
    CHECK(peer.ended);
    CHECK_INT(fixture.service.begun, 0);
    close_both(&fixture, &peer);
}

/* gRPC would unpack any bomb: no compression, and the client is told so. */
static void test_compressed(const char *encoding, int status)
{
    struct fixture fixture;
    struct raw_peer peer;

    open_both(&fixture, &peer);
    raw_begin_call(&peer, unary, encoding ? "grpc-encoding" : NULL, encoding);
    raw_send(&peer, "\1\0\0\0\1x", 6, true);
    raw_finish(&peer);
    CHECK_INT(peer.status, status);
    CHECK_INT(fixture.service.begun, 0);
    close_both(&fixture, &peer);
}

int main(void)
{
    grpcc_init();
    test_good_call();
    test_endless_message();
    test_compressed("gzip", 12);
    test_compressed("deflate", 12);
    test_compressed(NULL, 3);
    grpcc_shutdown();
    return heel_test_end();
}
