/* A server and a client in one program, on one queue. In a program with an event loop the queue
 * gets a waker and the loop calls grpcc_queue_dispatch(); here it is polled. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "runtime/example/greeter.grpc-c.h"

/* ---- server ---- */

/* A handler answers exactly once, now or later. */
static void greet(struct grpcc_unary *call, const Example__GreetRequest *request, void *service)
{
    Example__GreetResponse response = EXAMPLE__GREET_RESPONSE__INIT;
    char greeting[100];

    if (!*request->name) {
        grpcc_fail(call, grpcc_status_new(3, "name: must not be empty"));
        return;
    }
    snprintf(greeting, sizeof(greeting), "%s, %s!", (const char *)service, request->name);
    response.greeting = greeting;
    example_greeter_greet_reply(call, &response);
}

struct counter {
    unsigned next, last;
};

static void free_counter(struct grpcc_stream *stream, void *data)
{
    (void)stream;
    free(data);
}

/* The next number goes out when the transport has taken the one before: a client that reads slowly
 * costs no memory. A stream is finished exactly once, also when its client is gone. */
static void count_on(struct grpcc_stream *stream, bool ok, void *data)
{
    struct counter *counter = data;
    Example__CountResponse response = EXAMPLE__COUNT_RESPONSE__INIT;

    if (!ok || counter->next > counter->last) {
        grpcc_stream_finish(stream, NULL, free_counter);
        return;
    }
    response.number = counter->next++;
    example_greeter_count_write_response(stream, &response, count_on);
}

static void count(struct grpcc_stream *stream, const Example__CountRequest *request, void *service)
{
    struct counter *counter = malloc(sizeof(*counter));

    (void)service;
    if (!counter)
        abort();
    *counter = (struct counter){.next = 1, .last = request->to};
    grpcc_stream_set_data(stream, counter);
    count_on(stream, true, counter);
}

static void set_flag(void *flag)
{
    *(bool *)flag = true;
}

/* ---- client ---- */

static void on_greeting(const Example__GreetResponse *response, const struct grpcc_status *status,
                        void *data)
{
    if (response)
        printf("%s\n", response->greeting);
    else
        printf("error %d: %s\n", status->code, status->message);
    set_flag(data);
}

static void on_number(struct grpcc_stream *stream, const Example__CountResponse *response,
                      void *data)
{
    (void)data;
    if (!response)
        return; /* no more will come; on_status says why */
    printf("%u\n", response->number);
    example_greeter_count_read_response(stream, on_number);
}

static void on_status(struct grpcc_stream *stream, const struct grpcc_status *status, void *data)
{
    (void)stream;
    printf("counted, status %d\n", status->code);
    set_flag(data);
}

static void wait_for(struct grpcc_queue *queue, const bool *flag)
{
    while (!*flag)
        grpcc_queue_poll(queue, -1);
}

static void call_both(struct grpcc_channel *channel, struct grpcc_queue *queue)
{
    Example__GreetRequest greet_request = EXAMPLE__GREET_REQUEST__INIT;
    Example__CountRequest count_request = EXAMPLE__COUNT_REQUEST__INIT;
    struct grpcc_call_options options = {.timeout_ms = 5000};
    struct grpcc_stream *stream;
    bool greeted = false, counted = false;
    char name[] = "World";

    greet_request.name = name;
    example_greeter_greet_start(channel, queue, &greet_request, &options, on_greeting, &greeted);
    wait_for(queue, &greeted);

    count_request.to = 3;
    stream =
        example_greeter_count_open(channel, queue, &count_request, &options, on_status, &counted);
    example_greeter_count_read_response(stream, on_number);
    wait_for(queue, &counted);
}

int main(void)
{
    static const struct example_greeter_handlers handlers = {.greet = greet, .count = count};
    char greeting[] = "Hello";
    int fds[2];
    struct grpcc_queue *queue;
    struct grpcc_server *server;
    struct grpcc_channel *channel;
    bool drained = false;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
        return 1;
    grpcc_init();
    queue = grpcc_queue_new(NULL);
    server = grpcc_server_new(queue, NULL);
    example_greeter_register(server, &handlers, greeting);
    grpcc_server_start(server);
    grpcc_server_add_connection(server, fds[0]);

    channel = grpcc_channel_from_fd(fds[1], NULL);
    call_both(channel, queue);

    grpcc_channel_free(channel);
    grpcc_server_drain(server, set_flag, &drained);
    wait_for(queue, &drained);
    grpcc_server_free(server);
    grpcc_queue_free(queue);
    grpcc_shutdown();
    return 0;
}
