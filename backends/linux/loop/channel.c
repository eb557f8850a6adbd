#include "backends/linux/loop/channel.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Messages taken at one go, so that one busy peer does not keep the loop from the others. */
#define BATCH 32

struct heel_outgoing {
    struct heel_outgoing *next;
    struct heel_message message; /* its storage and descriptors are owned */
};

static void listen_for(struct heel_channel *channel);

static void ended(struct heel_channel *channel)
{
    uv_poll_stop(&channel->poll);
    channel->on_end(channel);
}

/* 1: sent; 0: no room yet; -1: never. */
static int try_send(struct heel_channel *channel, const struct heel_message *message)
{
    if (heel_message_send(channel->fd, message) == 0)
        return 1;
    return errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS ? 0 : -1;
}

static void flush(struct heel_channel *channel)
{
    while (channel->first) {
        struct heel_outgoing *outgoing = channel->first;

        if (try_send(channel, &outgoing->message) == 0)
            return;
        channel->first = outgoing->next;
        heel_message_clear(&outgoing->message);
        free(outgoing);
    }
    channel->last = &channel->first;
    listen_for(channel);
}

static void receive(struct heel_channel *channel, int limit)
{
    while (limit-- > 0 && channel->fd >= 0) {
        heel_automessage struct heel_message message = {0};
        int got = heel_message_receive(channel->fd, &message);

        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            ended(channel);
            return;
        }
        channel->on_message(channel, &message);
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct heel_channel *channel = heel_container_of(poll, struct heel_channel, poll);

    if (status < 0) {
        ended(channel);
        return;
    }
    if (events & UV_WRITABLE)
        flush(channel);
    if (events & (UV_READABLE | UV_DISCONNECT))
        receive(channel, BATCH);
}

static void listen_for(struct heel_channel *channel)
{
    uv_poll_start(&channel->poll, UV_READABLE | (channel->first ? UV_WRITABLE : 0), on_poll);
}

int heel_channel_open(struct heel_channel *channel, uv_loop_t *loop, int fd,
                      heel_on_message *on_message, heel_on_channel_end *on_end,
                      struct heel_error **err)
{
    int result = uv_poll_init(loop, &channel->poll, fd); /* makes it non-blocking */

    if (result) {
        close(fd);
        return heel_error_set_errno(err, -result, "cannot watch a socket");
    }
    channel->fd = fd;
    channel->first = NULL;
    channel->last = &channel->first;
    channel->on_message = on_message;
    channel->on_end = on_end;
    listen_for(channel);
    return 0;
}

static void queue(struct heel_channel *channel, const struct heel_message *message)
{
    struct heel_outgoing *outgoing = heel_xcalloc(1, sizeof *outgoing);
    bool was_idle = channel->first == NULL;

    outgoing->message = *message;
    outgoing->message.storage = heel_xmalloc(message->length);
    if (message->length)
        memcpy(outgoing->message.storage, message->payload, message->length);
    outgoing->message.payload = outgoing->message.storage;
    *channel->last = outgoing;
    channel->last = &outgoing->next;
    if (was_idle)
        listen_for(channel);
}

/* Reading notices the peer's death, so a message that can't be delivered because of it is dropped
 * without a word. */
void heel_channel_send(struct heel_channel *channel, const struct heel_message *message)
{
    if (channel->first || try_send(channel, message) == 0) {
        queue(channel, message);
        return;
    }
    for (size_t i = 0; i < message->fd_count; i++)
        close(message->fds[i]);
}

void heel_channel_drain(struct heel_channel *channel)
{
    receive(channel, INT32_MAX);
}

void heel_channel_close(struct heel_channel *channel, uv_close_cb on_closed)
{
    uv_close((uv_handle_t *)&channel->poll, on_closed);
    close(channel->fd);
    channel->fd = -1;
    while (channel->first) {
        struct heel_outgoing *outgoing = channel->first;

        channel->first = outgoing->next;
        heel_message_clear(&outgoing->message);
        free(outgoing);
    }
    channel->last = &channel->first;
}
