#include "proto/runtime/tests/raw_peer.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/test.h"

enum {
    DATA = 0,
    HEADERS = 1,
    RST_STREAM = 3,
    SETTINGS = 4,
    PING = 6,
    GOAWAY = 7,
    WINDOW_UPDATE = 8
};
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };
enum { INITIAL_WINDOW_SIZE = 4, MAX_FRAME_SIZE = 5, FRAME_HEADER = 9 };

static uint32_t read_u32(const char *at)
{
    const uint8_t *bytes = (const uint8_t *)at;

    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void append_u32(struct heel_buffer *to, uint32_t value)
{
    uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                       (uint8_t)value};

    heel_buffer_append(to, bytes, sizeof(bytes));
}

/* The server runs on this thread, too: it must be let read. */
static void send_all(struct raw_peer *peer, const char *data, size_t length)
{
    while (length && !peer->ended) {
        ssize_t sent = send(peer->fixture->client_fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (sent < 0 && errno == EAGAIN) {
            fixture_step(peer->fixture, 0);
        } else if (sent < 0) {
            peer->ended = true;
        } else {
            data += sent;
            length -= (size_t)sent;
        }
    }
}

static void send_frame(struct raw_peer *peer, uint8_t type, uint8_t flags, uint32_t stream,
                       const void *payload, size_t length)
{
    heel_autobuffer struct heel_buffer frame = {0};
    uint8_t head[] = {(uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length, type,
                      flags};

    heel_buffer_append(&frame, head, sizeof(head));
    append_u32(&frame, stream);
    heel_buffer_append(&frame, payload, length);
    send_all(peer, frame.data, frame.length);
}

/* ---- what the server says ---- */

static void on_settings(struct raw_peer *peer, const char *payload, size_t length)
{
    for (size_t i = 0; i + 6 <= length; i += 6) {
        int id = (uint8_t)payload[i] << 8 | (uint8_t)payload[i + 1];
        uint32_t value = read_u32(payload + i + 2);

        if (id == INITIAL_WINDOW_SIZE) {
            peer->stream_window += (int64_t)value - peer->initial_window;
            peer->initial_window = value;
        } else if (id == MAX_FRAME_SIZE) {
            peer->max_frame = value;
        }
    }
    send_frame(peer, SETTINGS, ACK, 0, NULL, 0);
}

/* gRPC sends this header as it is, without Huffman coding. */
static void on_headers(struct raw_peer *peer, const char *payload, size_t length)
{
    const char *key = memmem(payload, length, "grpc-status", 11);

    if (key && key + 13 <= payload + length)
        peer->status = (int)strtol(key + 12, NULL, 10);
}

static void on_frame(struct raw_peer *peer, int type, int flags, uint32_t stream,
                     const char *payload, size_t length)
{
    switch (type) {
    case SETTINGS:
        if (!(flags & ACK))
            on_settings(peer, payload, length);
        break;
    case PING:
        if (!(flags & ACK))
            send_frame(peer, PING, ACK, 0, payload, length);
        break;
    case WINDOW_UPDATE:
        *(stream ? &peer->stream_window : &peer->connection_window) += read_u32(payload);
        break;
    case HEADERS:
        on_headers(peer, payload, length);
        peer->ended |= flags & END_STREAM;
        break;
    case RST_STREAM:
        peer->reset_code = (int)read_u32(payload);
        peer->ended = true;
        break;
    case GOAWAY:
        peer->ended = true;
        break;
    default:
        break;
    }
}

/* Takes the first frame out of the input; false if it isn't complete. */
static bool take_frame(struct raw_peer *peer)
{
    const char *frame = peer->input.data;
    size_t length;

    if (peer->input.length < FRAME_HEADER)
        return false;
    length = read_u32(frame) >> 8;
    if (peer->input.length < FRAME_HEADER + length)
        return false;
    on_frame(peer, frame[3], frame[4], read_u32(frame + 5), frame + FRAME_HEADER, length);
    peer->input.length -= FRAME_HEADER + length;
    memmove(peer->input.data, frame + FRAME_HEADER + length, peer->input.length);
    return true;
}

static void pump(struct raw_peer *peer)
{
    char *room = heel_buffer_reserve(&peer->input, 65536);
    ssize_t got;

    fixture_step(peer->fixture, 0);
    got = recv(peer->fixture->client_fd, room, 65536, MSG_DONTWAIT);
    if (got == 0)
        peer->ended = true;
    if (got > 0)
        peer->input.length += (size_t)got;
    while (take_frame(peer))
        ;
}

/* ---- what we say ---- */

void raw_open(struct raw_peer *peer, struct fixture *fixture)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    *peer = (struct raw_peer){
        .fixture = fixture,
        .connection_window = 65535,
        .stream_window = 65535,
        .initial_window = 65535,
        .max_frame = 16384,
        .status = -1,
        .reset_code = -1,
    };
    send_all(peer, preface, sizeof(preface) - 1);
    send_frame(peer, SETTINGS, 0, 0, NULL, 0);
}

void raw_close(struct raw_peer *peer)
{
    shutdown(peer->fixture->client_fd, SHUT_RDWR);
    heel_buffer_free(&peer->input);
}

static void append_text(struct heel_buffer *to, const char *text)
{
    char length = (char)strlen(text);

    heel_buffer_append(to, &length, 1);
    heel_buffer_append_text(to, text);
}

static void append_header(struct heel_buffer *to, const char *key, const char *value)
{
    heel_buffer_append(to, "\0", 1);
    append_text(to, key);
    append_text(to, value);
}

void raw_begin_call(struct raw_peer *peer, const char *path, const char *key, const char *value)
{
    heel_autobuffer struct heel_buffer headers = {0};

    heel_buffer_append(&headers, "\x83\x86", 2); /* POST, http */
    append_header(&headers, ":path", path);
    append_header(&headers, ":authority", "localhost");
    append_header(&headers, "content-type", "application/grpc");
    append_header(&headers, "te", "trailers");
    if (key)
        append_header(&headers, key, value);
    send_frame(peer, HEADERS, END_HEADERS, 1, headers.data, headers.length);
}

static size_t smaller(size_t a, int64_t b)
{
    return b < 0 ? 0 : (uint64_t)b < a ? (size_t)b : a;
}

bool raw_send(struct raw_peer *peer, const void *data, size_t length, bool last)
{
    const char *at = data;

    while (length && !peer->ended) {
        size_t now =
            smaller(smaller(smaller(length, (int64_t)peer->max_frame), peer->stream_window),
                    peer->connection_window);

        if (now) {
            length -= now;
            send_frame(peer, DATA, last && !length ? END_STREAM : 0, 1, at, now);
            peer->stream_window -= (int64_t)now;
            peer->connection_window -= (int64_t)now;
            at += now;
        }
        pump(peer);
    }
    return !peer->ended;
}

void raw_finish(struct raw_peer *peer)
{
    while (!peer->ended) {
        struct pollfd wait = {.fd = peer->fixture->client_fd, .events = POLLIN};

        fixture_step(peer->fixture, 1);
        poll(&wait, 1, 0);
        pump(peer);
    }
}
