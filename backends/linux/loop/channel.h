/* heeld's end of a message socket: never blocks, keeps what the socket would not take. */
#ifndef HEEL_BACKENDS_LINUX_LOOP_CHANNEL_H
#define HEEL_BACKENDS_LINUX_LOOP_CHANNEL_H

#include <uv.h>

#include "backends/linux/messages/message.h"
#include "base/error.h"

struct heel_channel;
struct heel_outgoing;

/* A message arrived: take descriptors out of it if you want them; the rest is cleared afterwards.
 */
typedef void heel_on_message(struct heel_channel *channel, struct heel_message *message);

/* The peer has closed, or sent what is no message. Nothing else comes. */
typedef void heel_on_channel_end(struct heel_channel *channel);

struct heel_channel {
    uv_poll_t poll;
    int fd;                      /* owned; -1 once closed */
    struct heel_outgoing *first; /* owned */
    struct heel_outgoing **last;
    heel_on_message *on_message;
    heel_on_channel_end *on_end;
};

/* Takes `fd` over (closed on failure too) and starts to listen. 0, or -1 and *err. */
int heel_channel_open(struct heel_channel *channel, uv_loop_t *loop, int fd,
                      heel_on_message *on_message, heel_on_channel_end *on_end,
                      struct heel_error **err);

/* Sends `message`, now or when there is room. Its descriptors are the channel's from here on; its
 * payload is copied if need be. */
void heel_channel_send(struct heel_channel *channel, const struct heel_message *message);

/* Hands every message that has already arrived to on_message. */
void heel_channel_drain(struct heel_channel *channel);

/* Closes the socket at once. The memory may go once `on_closed` has run. Only for an opened
 * channel, once. */
void heel_channel_close(struct heel_channel *channel, uv_close_cb on_closed);

#endif
