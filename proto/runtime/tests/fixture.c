#include "proto/runtime/tests/fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"

static void wake(void *context)
{
    uint64_t one = 1;
    struct fixture *fixture = context;

    REQUIRE(write(fixture->event_fd, &one, sizeof(one)) == sizeof(one));
}

void fixture_open(struct fixture *fixture, const struct fixture_options *options)
{
    static const struct fixture_options defaults;
    struct grpcc_waker waker = {wake, fixture};
    int fds[2];

    if (!options)
        options = &defaults;
    *fixture = (struct fixture){.event_fd = -1};
    if (options->with_waker)
        fixture->event_fd = eventfd(0, EFD_CLOEXEC);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    fixture->queue = grpcc_queue_new(options->with_waker ? &waker : NULL);
    fixture->server = grpcc_server_new(fixture->queue, &options->server);
    echo_service_register(fixture->server, &fixture->service);
    grpcc_server_start(fixture->server);
    grpcc_server_add_connection(fixture->server, fds[1]);
    fixture->client_fd = fds[0];
    if (options->no_channel)
        return;
    fixture->client_fd = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
    fixture->channel = grpcc_channel_from_fd(fds[0], &options->channel);
}

bool fixture_step(struct fixture *fixture, int timeout_ms)
{
    struct pollfd wait = {.fd = fixture->event_fd, .events = POLLIN};
    uint64_t count;

    if (fixture->event_fd < 0)
        return grpcc_queue_poll(fixture->queue, timeout_ms);
    if (poll(&wait, 1, timeout_ms) != 1)
        return false;
    REQUIRE(read(fixture->event_fd, &count, sizeof(count)) == sizeof(count));
    grpcc_queue_dispatch(fixture->queue);
    return true;
}

void fixture_run_until(struct fixture *fixture, const bool *flag)
{
    while (!*flag)
        REQUIRE(fixture_step(fixture, 20000));
}

void fixture_run_until_count(struct fixture *fixture, const unsigned *count, unsigned at_least)
{
    while (*count < at_least)
        REQUIRE(fixture_step(fixture, 20000));
}

void fixture_settle(struct fixture *fixture, int quiet_ms)
{
    while (fixture_step(fixture, quiet_ms))
        ;
}

void fixture_lose_connection(struct fixture *fixture)
{
    shutdown(fixture->client_fd, SHUT_RDWR);
}

static void on_drained(void *context)
{
    struct fixture *fixture = context;

    CHECK(!fixture->drained);
    fixture->drained = true;
}

void fixture_drain(struct fixture *fixture)
{
    fixture->draining = true;
    grpcc_server_drain(fixture->server, on_drained, fixture);
}

void fixture_close(struct fixture *fixture)
{
    grpcc_channel_free(fixture->channel);
    close(fixture->client_fd);
    if (!fixture->draining)
        fixture_drain(fixture);
    fixture_run_until(fixture, &fixture->drained);
    CHECK_INT(fixture->service.ended, fixture->service.begun);
    grpcc_server_free(fixture->server);
    grpcc_queue_free(fixture->queue);
    if (fixture->event_fd >= 0)
        close(fixture->event_fd);
}
