/* An echo server and a channel to it over a socket pair, on one queue and one thread: what happens,
 * happens in an order that a test can step through. */
#ifndef GRPCC_TESTS_FIXTURE_H
#define GRPCC_TESTS_FIXTURE_H

#include "proto/runtime/tests/echo_service.h"

struct fixture_options {
    bool with_waker; /* the queue has a thread of its own, as in a daemon; else it is polled */
    struct grpcc_server_options server;
    struct grpcc_channel_options channel;
    bool no_channel; /* the test speaks HTTP/2 itself, on fixture.client_fd */
};

struct fixture {
    struct grpcc_queue *queue;
    struct grpcc_server *server;
    struct grpcc_channel *channel;
    struct echo_service service;
    int client_fd; /* a duplicate of the channel's */
    int event_fd;  /* with a waker */
    bool draining;
    bool drained;
};

/* `options` may be NULL. grpcc_init() must have been called. */
void fixture_open(struct fixture *fixture, const struct fixture_options *options);

/* Runs at least one callback. False if none came within `timeout_ms`. */
bool fixture_step(struct fixture *fixture, int timeout_ms);

/* Steps until *flag; ends the test if that takes 20 s. */
void fixture_run_until(struct fixture *fixture, const bool *flag);

/* The same until *count is that much. */
void fixture_run_until_count(struct fixture *fixture, const unsigned *count, unsigned at_least);

/* Steps until nothing has happened for `quiet_ms`: to show that something does not happen. */
void fixture_settle(struct fixture *fixture, int quiet_ms);

/* The socket is shut down in both directions under gRPC's feet. */
void fixture_lose_connection(struct fixture *fixture);

void fixture_drain(struct fixture *fixture);

/* Frees everything; drains the server where the test hasn't. No call may be left. */
void fixture_close(struct fixture *fixture);

#endif
