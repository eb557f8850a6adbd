/* Messages over SOCK_SEQPACKET sockets between heeld, its launcher and the sandboxes' inits: a
 * fixed header, a payload, and descriptors. What doesn't fit into one packet goes in a sealed memfd
 * that travels with it. */
#ifndef HEEL_BACKENDS_LINUX_MESSAGES_MESSAGE_H
#define HEEL_BACKENDS_LINUX_MESSAGES_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define HEEL_MESSAGE_INLINE_MAX (60 * 1024)        /* bytes of payload inside the packet */
#define HEEL_MESSAGE_PAYLOAD_MAX (8 * 1024 * 1024) /* bytes of payload at all: ARG_MAX and some */
#define HEEL_MESSAGE_FDS_MAX 5

struct heel_message {
    uint32_t type;
    uint32_t id;         /* whose: a sandbox or a command */
    const void *payload; /* sending: borrowed. Received: owned by `storage` */
    size_t length;
    int fds[HEEL_MESSAGE_FDS_MAX +
            1]; /* at most HEEL_MESSAGE_FDS_MAX of a sender's, and a memfd. Sending: borrowed.
                   Received: owned, close-on-exec, -1 once taken */
    size_t fd_count;
    void *storage; /* owned; received messages only */
};

/* Sends it whole or not at all. 0, or -1 with errno (EAGAIN on a non-blocking socket that is full;
 * EPIPE when the peer is gone). */
int heel_message_send(int socket, const struct heel_message *message);

/* Receives one. 1: *message is to be cleared by the caller. 0: the peer has closed. -1 with errno:
 * EAGAIN, or EPROTO for something that is no message. One whose descriptors did not fit into this
 * process arrives without any, and without a payload if that was in one of them: who needs them
 * checks fd_count. */
int heel_message_receive(int socket, struct heel_message *message);

/* Closes the descriptors that were not taken and frees the payload; zeroes it. For received
 * messages. */
void heel_message_clear(struct heel_message *message);

static inline void heel_cleanup_message(struct heel_message *message)
{
    heel_message_clear(message);
}
#define heel_automessage __attribute__((cleanup(heel_cleanup_message)))

/* Takes descriptor `index` out of a received message; -1 if it has none. */
int heel_message_take_fd(struct heel_message *message, size_t index);

#endif
