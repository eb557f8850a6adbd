/* What one process believes of another: codec, messages and their payloads against bytes that
 * nobody honest sends. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/linux/messages/codec.h"
#include "backends/linux/messages/message.h"
#include "backends/linux/messages/protocol.h"
#include "base/test.h"

static int ends[2];

static int open_fds(void)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void test_codec(void)
{
    static const char *const texts[] = {"", "one", "two", NULL};
    heel_autobuffer struct heel_buffer bytes = {0};
    struct heel_reader reader;
    heel_autofree const char **got = NULL;

    heel_put_u64(&bytes, 1ULL << 63);
    heel_put_string(&bytes, NULL);
    heel_put_strings(&bytes, texts);
    reader = heel_reader_of(bytes.data, bytes.length);
    CHECK(heel_get_u64(&reader) == 1ULL << 63);
    CHECK_STR(heel_get_string(&reader), NULL);
    got = heel_get_strings(&reader, 3);
    REQUIRE(got);
    CHECK_STR(got[2], "two");
    CHECK(!got[3] && heel_reader_done(&reader));
    CHECK_INT(heel_get_u32(&reader), 0);
    CHECK(reader.failed);
}

static void test_bounded_numbers(void)
{
    heel_autobuffer struct heel_buffer bytes = {0};
    struct heel_reader reader;

    heel_put_u64(&bytes, 7);
    reader = heel_reader_of(bytes.data, bytes.length);
    CHECK_INT(heel_get_bounded(&reader, 7), 7);
    CHECK(heel_reader_done(&reader));
    reader = heel_reader_of(bytes.data, bytes.length);
    CHECK_INT(heel_get_bounded(&reader, 6), 0);
    CHECK(reader.failed);
}

static void test_hostile_strings(void)
{
    static const char no_end[] = {3, 0, 0, 0, 'a', 'b', 'c'};
    static const char inner_nul[] = {4, 0, 0, 0, 'a', 0, 'c', 0};
    static const char empty[] = {0, 0, 0, 0};
    static const char beyond[] = {100, 0, 0, 0, 'a', 0};
    static const char many[] = {(char)0xff, (char)0xff, (char)0xff, 0x7f, 0, 0, 0, 0};
    const struct {
        const char *bytes;
        size_t length;
    } cases[] = {{no_end, sizeof no_end},
                 {inner_nul, sizeof inner_nul},
                 {empty, sizeof empty},
                 {beyond, sizeof beyond},
                 {many, 2}};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(cases); i++) {
        struct heel_reader reader = heel_reader_of(cases[i].bytes, cases[i].length);

        CHECK_STR(heel_get_string(&reader), NULL);
        CHECK(reader.failed);
    }
    struct heel_reader reader = heel_reader_of(many, sizeof many);
    CHECK(heel_get_strings(&reader, SIZE_MAX) == NULL && reader.failed);
}

static void check_round_trip(size_t length, size_t fds)
{
    struct heel_message sent = {.type = 7, .id = 9, .length = length, .fd_count = fds};
    heel_automessage struct heel_message got = {0};
    heel_autofree char *payload = heel_xmalloc(length);

    memset(payload, 'x', length);
    sent.payload = payload;
    for (size_t i = 0; i < fds; i++)
        sent.fds[i] = 0;
    REQUIRE(heel_message_send(ends[0], &sent) == 0);
    REQUIRE(heel_message_receive(ends[1], &got) == 1);
    CHECK_INT(got.type, 7);
    CHECK_INT(got.id, 9);
    CHECK_INT(got.length, length);
    CHECK_INT(got.fd_count, fds);
    CHECK(length == 0 || memcmp(got.payload, payload, length) == 0);
    for (size_t i = 0; i < fds; i++)
        CHECK_INT(fcntl(got.fds[i], F_GETFD), FD_CLOEXEC);
}

static void test_messages(void)
{
    check_round_trip(0, 0);
    check_round_trip(100, HEEL_MESSAGE_FDS_MAX);
    check_round_trip(HEEL_MESSAGE_INLINE_MAX, 1);
    check_round_trip(HEEL_MESSAGE_INLINE_MAX + 1, HEEL_MESSAGE_FDS_MAX);
    check_round_trip(HEEL_MESSAGE_PAYLOAD_MAX, 0);
    CHECK_INT(
        heel_message_send(
            ends[0], &(struct heel_message){.payload = "", .length = HEEL_MESSAGE_PAYLOAD_MAX + 1}),
        -1);
    CHECK_INT(errno, EMSGSIZE);
}

struct raw_header {
    uint32_t type, id, length, in_memfd;
};

#define RAW_FDS_MAX 16

static void send_raw(const void *data, size_t length, const int *fds, size_t count)
{
    struct iovec part = {(void *)(uintptr_t)data, length};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(RAW_FDS_MAX * sizeof *fds)] = {0};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};

    if (count > 0) {
        packet.msg_control = control;
        packet.msg_controllen = CMSG_SPACE(count * sizeof *fds);
        *CMSG_FIRSTHDR(&packet) = (struct cmsghdr){.cmsg_len = CMSG_LEN(count * sizeof *fds),
                                                   .cmsg_level = SOL_SOCKET,
                                                   .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&packet)), fds, count * sizeof *fds);
    }
    REQUIRE(sendmsg(ends[0], &packet, 0) == (ssize_t)length);
}

static void check_refused(const void *data, size_t length, int fd)
{
    struct heel_message got;

    send_raw(data, length, &fd, fd >= 0);
    CHECK_INT(heel_message_receive(ends[1], &got), -1);
    CHECK_INT(errno, EPROTO);
}

static void test_hostile_messages(void)
{
    heel_autofree char *big = heel_xcalloc(1, 100 * 1024);
    heel_autoclose int unsealed = memfd_create("test", MFD_ALLOW_SEALING);
    heel_autoclose int sealed = memfd_create("test", MFD_ALLOW_SEALING);
    struct raw_header lying = {1, 1, 50, 0}, without = {1, 1, 10, 1}, with = {1, 1, 10, 1},
                      odd = {1, 1, 10, 2};

    REQUIRE(ftruncate(unsealed, 10) == 0 && ftruncate(sealed, 9) == 0);
    REQUIRE(fcntl(sealed, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0);
    check_refused("short", 5, -1);
    check_refused(&lying, sizeof lying, -1);
    check_refused(&lying, sizeof lying, 0);
    check_refused(big, 100 * 1024, -1);
    check_refused(&without, sizeof without, -1);
    check_refused(&with, sizeof with, unsealed);
    check_refused(&with, sizeof with, sealed); /* not the size that it says */
    check_refused(&odd, sizeof odd, 0);
    with.length = UINT32_MAX;
    check_refused(&with, sizeof with, sealed);
}

/* More than a message may have: none arrives, and none stays open. */
static void test_too_many_fds(void)
{
    const struct raw_header header = {1, 1, 0, 0};
    const int fds[RAW_FDS_MAX] = {0};

    for (size_t count = HEEL_MESSAGE_FDS_MAX + 2; count <= RAW_FDS_MAX; count++) {
        heel_automessage struct heel_message got = {0};
        int before = open_fds();

        send_raw(&header, sizeof header, fds, count);
        CHECK_INT(heel_message_receive(ends[1], &got), 1);
        CHECK_INT(got.fd_count, 0);
        CHECK_INT(open_fds(), before);
    }
}

/* It looks like the peer's end, and must not leave what it brought open. */
static void test_empty_packet(void)
{
    struct heel_message got;
    int before = open_fds(), fd = 0;

    send_raw("", 0, &fd, 1);
    CHECK_INT(heel_message_receive(ends[1], &got), 0);
    CHECK_INT(open_fds(), before);
}

/* Cut short at every byte, and with every byte changed, no decoder reads beyond or leaks; asan
 * watches. */
static void mangle(const struct heel_buffer *bytes, void (*decode)(struct heel_reader *reader))
{
    heel_autofree char *copy = NULL;

    for (size_t length = 0; length <= bytes->length; length++) {
        char *exact = heel_xmalloc(length);
        struct heel_reader reader = heel_reader_of(memcpy(exact, bytes->data, length), length);

        decode(&reader);
        free(exact);
    }
    copy = heel_xmalloc(bytes->length);
    for (size_t at = 0; at < bytes->length; at++) {
        for (int bit = 0; bit < 8; bit++) {
            struct heel_reader reader =
                heel_reader_of(memcpy(copy, bytes->data, bytes->length), bytes->length);

            copy[at] = (char)(copy[at] ^ (1 << bit));
            decode(&reader);
        }
    }
}

static void decode_start(struct heel_reader *reader)
{
    struct heel_start_request request = {0};

    if (heel_get_start(reader, &request) == 0) {
        CHECK(request.argv[0] && request.working_dir);
        heel_start_request_clear(&request);
    }
}

static void decode_create(struct heel_reader *reader)
{
    struct heel_create_request request = {0};

    if (heel_get_create(reader, &request) == 0)
        heel_create_request_clear(&request);
}

static void decode_exit(struct heel_reader *reader)
{
    struct heel_exit exit;

    if (heel_get_exit(reader, &exit) == 0)
        CHECK(exit.code >= 0 && exit.code <= 255 && exit.start_failure <= HEEL_START_FAILED);
}

static void decode_error(struct heel_reader *reader)
{
    heel_autoerror struct heel_error *error = NULL;

    CHECK_INT(heel_get_error(reader, &error), -1);
    CHECK(error && error->message && error->code > HEEL_OK && error->code <= HEEL_UNAUTHENTICATED);
}

static void test_payloads(void)
{
    static const char *const argv[] = {"sh", "-c", "true", NULL};
    static const char *const environment[] = {"A=b", NULL};
    static const gid_t groups[] = {4, 5};
    struct heel_command command = {.argv = argv, .environment = environment};
    struct heel_create_request create = {
        1000, 1000, true, 1001, 2, {1000, 1000, groups, 2}, "plan", 4, {.memory_bytes = 5}};
    struct heel_exit exit = {.signalled = true, .code = 9, .wall_us = 5};
    heel_autoerror struct heel_error *error = NULL, *got = NULL;
    heel_autobuffer struct heel_buffer start = {0}, created = {0}, ended = {0}, failed = {0};
    struct heel_reader reader;

    heel_error_set(&error, HEEL_NOT_FOUND, "SETUP_FAILED", "message");
    heel_error_set_field_path(error, "spec.id");
    heel_error_add_metadata(error, "have", "%d", 3);
    heel_put_start(&start, &command, "/w", true);
    heel_put_create(&created, &create);
    heel_put_exit(&ended, &exit);
    heel_put_error(&failed, error);
    mangle(&start, decode_start);
    mangle(&created, decode_create);
    mangle(&ended, decode_exit);
    mangle(&failed, decode_error);
    reader = heel_reader_of(failed.data, failed.length);
    heel_get_error(&reader, &got);
    CHECK_INT(got->code, HEEL_NOT_FOUND);
    CHECK_STR(got->message, "message");
    CHECK_STR(got->field, "spec.id");
    CHECK_STR(got->metadata[0].value, "3");
}

int main(void)
{
    int before;

    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    before = open_fds();
    test_codec();
    test_bounded_numbers();
    test_hostile_strings();
    test_messages();
    test_hostile_messages();
    test_too_many_fds();
    test_empty_packet();
    test_payloads();
    CHECK_INT(open_fds(), before);
    close(ends[0]);
    CHECK_INT(heel_message_receive(ends[1], &(struct heel_message){0}), 0);
    return heel_test_end();
}
