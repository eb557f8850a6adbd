/* Blocking calls, from several threads at once, on a server with a thread of its own; over a socket
 * pair and over a Unix socket with a path, which a channel connects to by itself, again and again.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/test.h"
#include "base/text.h"
#include "proto/runtime/tests/fixture.h"

enum { THREADS = 12, CALLS = 100 };

/* The server's side: a loop of its own. */
struct loop {
    struct fixture fixture;
    pthread_t thread;
    atomic_bool stop;
    int listener;
};

static void *run_loop(void *argument)
{
    struct loop *loop = argument;

    while (!atomic_load(&loop->stop)) {
        int fd = loop->listener < 0 ? -1 : accept4(loop->listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0)
            grpcc_server_add_connection(loop->fixture.server, fd);
        fixture_step(&loop->fixture, 1);
    }
    return NULL;
}

static void start_loop(struct loop *loop, int listener)
{
    struct fixture_options options = {.with_waker = true};

    loop->listener = listener;
    fixture_open(&loop->fixture, &options);
    REQUIRE(pthread_create(&loop->thread, NULL, run_loop, loop) == 0);
}

static void stop_loop(struct loop *loop)
{
    atomic_store(&loop->stop, true);
    pthread_join(loop->thread, NULL);
    fixture_close(&loop->fixture);
}

static void call_once(struct grpcc_channel *channel, int fail_code,
                      const struct grpcc_call_options *options, int expected)
{
    Grpcc__Echo__EchoRequest request = GRPCC__ECHO__ECHO_REQUEST__INIT;
    Grpcc__Echo__EchoResponse *response = NULL;
    grpcc_autostatus struct grpcc_status *status = NULL;
    int result;

    request.text = (char *)(uintptr_t) "some text";
    request.fail_code = fail_code;
    result = grpcc_echo_echo_service_unary(channel, &request, options, &response, &status);
    CHECK_INT(result, expected ? -1 : 0);
    CHECK_INT(status ? status->code : 0, expected);
    if (response)
        CHECK_STR(response->text, "some text");
    grpcc__echo__echo_response__free_unpacked(response, NULL);
}

static void *call_often(void *channel)
{
    for (int i = 0; i < CALLS; i++)
        call_once(channel, i % 10 ? 0 : 5, NULL, i % 10 ? 0 : 5);
    return NULL;
}

static void call_from_threads(struct grpcc_channel *channel)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, call_often, channel) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void test_socketpair(void)
{
    struct loop loop = {0};
    struct grpcc_metadata bad = {"Upper", "x", 1};
    struct grpcc_call_options refused = {.metadata = &bad, .metadata_count = 1};

    start_loop(&loop, -1);
    call_from_threads(loop.fixture.channel);
    call_once(loop.fixture.channel, 0, &refused, 13);
    fixture_lose_connection(&loop.fixture);
    call_once(loop.fixture.channel, 0, NULL, 14);
    call_once(loop.fixture.channel, 0, NULL, 14);
    stop_loop(&loop);
}

/* The handler never answers. */
static void test_deadline(void)
{
    struct loop loop = {0};
    struct grpcc_call_options soon = {.timeout_ms = 30};

    start_loop(&loop, -1);
    loop.fixture.service.stalls = true;
    call_once(loop.fixture.channel, 0, &soon, 4);
    stop_loop(&loop);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
            listen(fd, 16) == 0);
    return fd;
}

static void test_unix_socket(void)
{
    char directory[] = "/tmp/grpcc-XXXXXX";
    heel_autofree char *path = NULL;
    heel_autofree char *target = NULL;
    struct grpcc_channel *channel;
    struct loop loop = {0};
    int listener;

    REQUIRE(mkdtemp(directory));
    path = heel_format("%s/socket", directory);
    target = heel_format("unix:%s", path);
    channel = grpcc_channel_new(target, NULL);
    call_once(channel, 0, NULL, 14);
    grpcc_channel_free(channel);
    listener = listen_at(path);
    start_loop(&loop, listener);
    channel = grpcc_channel_new(target, NULL);
    call_from_threads(channel);
    grpcc_channel_free(channel);
    stop_loop(&loop);
    close(listener);
    unlink(path);
    rmdir(directory);
}

int main(void)
{
    grpcc_init();
    test_socketpair();
    test_deadline();
    test_unix_socket();
    grpcc_shutdown();
    return heel_test_end();
}
