/* Whatever standard output is, writing to it never waits, and what is written arrives. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/test.h"
#include "clients/c/libheel/sink.h"

static char bytes[1 << 20];

/* Fills it until nothing more goes, reads all of that, and fills it again. */
static void check_never_waits(int fd, int reader, enum sink_kind kind)
{
    struct sink sink = sink_new(fd);
    static char back[sizeof(bytes)];
    long written = 0, read_back = 0, last;

    alarm(10); /* a write that waits would do so for ever */
    do {
        last = sink_write(&sink, bytes, sizeof(bytes));
        written += last > 0 ? last : 0;
    } while (last > 0);
    CHECK_INT(last, 0);
    CHECK_INT(sink.kind, kind);
    CHECK(written > 0);
    while (read_back < written) {
        ssize_t length = read(reader, back, sizeof(back));

        REQUIRE(length > 0);
        read_back += length;
    }
    CHECK(sink_write(&sink, "x", 1) == 1);
    alarm(0);
    CHECK_INT(fcntl(fd, F_GETFL) & O_NONBLOCK, 0); /* what others share is as it was */
    close(reader);
    CHECK_INT(sink_write(&sink, bytes, sizeof(bytes)), -1);
    CHECK_INT(errno, EPIPE);
    if (sink.out != fd)
        close(sink.out);
    close(fd);
}

static void test_pipe(void)
{
    int ends[2];

    REQUIRE(!pipe(ends));
    check_never_waits(ends[1], ends[0], SINK_PRIVATE);
}

static void test_socket(void)
{
    int ends[2];

    REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    check_never_waits(ends[1], ends[0], SINK_SOCKET);
}

/* A pipe that can't be opened again, as somebody else's can't be. */
static void test_shared_pipe(void)
{
    struct sink sink;
    int ends[2];
    long written = 0, last;

    REQUIRE(!pipe(ends));
    sink = sink_new(ends[1]);
    sink.kind = SINK_SHARED;
    alarm(10);
    while ((last = sink_write(&sink, bytes, sizeof(bytes))) > 0)
        written += last;
    alarm(0);
    CHECK_INT(last, 0);
    CHECK_INT(written, 65536);
    close(ends[0]);
    close(ends[1]);
}

static void test_file(void)
{
    struct sink sink = sink_new(fileno(tmpfile()));

    CHECK_INT(sink_write(&sink, bytes, sizeof(bytes)), sizeof(bytes));
    CHECK_INT(sink.kind, SINK_PATIENT);
}

static void test_full_disk(void)
{
    struct sink sink = sink_new(open("/dev/full", O_WRONLY));

    if (sink.fd < 0)
        return;
    CHECK_INT(sink_write(&sink, "x", 1), -1);
    CHECK_INT(errno, ENOSPC);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    test_pipe();
    test_socket();
    test_shared_pipe();
    test_file();
    test_full_disk();
    return heel_test_end();
}
