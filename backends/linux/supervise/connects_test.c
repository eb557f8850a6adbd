/* The parts of supervised connects: the decision as data, files told apart as the kernel does, and
 * closing without waiting. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/linux/supervise/closer.h"
#include "backends/linux/supervise/connect_decide.h"
#include "backends/linux/supervise/unix_diag.h"
#include "base/test.h"
#include "base/text.h"

/* ---- the decision ---- */

static struct sockaddr_storage name;

static struct heel_connect to_path(const char *path, size_t length)
{
    struct sockaddr_un *address = (struct sockaddr_un *)&name;

    memset(&name, 0, sizeof name);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length);
    return (struct heel_connect){AF_UNIX, SOCK_STREAM, &name,
                                 offsetof(struct sockaddr_un, sun_path) + length};
}

static struct heel_connect to_internet(int family, const char *host, int type)
{
    memset(&name, 0, sizeof name);
    name.ss_family = (sa_family_t)family;
    if (family == AF_INET) {
        ((struct sockaddr_in *)&name)->sin_port = htons(443);
        REQUIRE(inet_pton(family, host, &((struct sockaddr_in *)&name)->sin_addr) == 1);
        return (struct heel_connect){family, type, &name, sizeof(struct sockaddr_in)};
    }
    ((struct sockaddr_in6 *)&name)->sin6_port = htons(443);
    REQUIRE(inet_pton(family, host, &((struct sockaddr_in6 *)&name)->sin6_addr) == 1);
    return (struct heel_connect){family, type, &name, sizeof(struct sockaddr_in6)};
}

static void paths_are_what_the_kernel_takes_for_paths(void)
{
    struct heel_connect connect = to_path("/run/x", 6);

    CHECK_INT(heel_connect_path_length(AF_UNIX, &name, connect.length), 6);
    connect = to_path("/run/x\0garbage", 14);
    CHECK_INT(heel_connect_path_length(AF_UNIX, &name, connect.length), 6);
    CHECK_INT(heel_connect_path_length(AF_INET, &name, connect.length), 0);
    CHECK_INT(heel_connect_path_length(AF_UNIX, &name, 2), 0);
    CHECK_INT(heel_connect_path_length(AF_UNIX, &name, 1), 0);
    CHECK_INT(heel_connect_path_length(AF_UNIX, &name, 0), 0);
    connect = to_path("\0abstract", 9);
    CHECK_INT(heel_connect_path_length(AF_UNIX, &name, connect.length), 0);
    memset(&name, 'x', sizeof name);
    name.ss_family = AF_UNIX;
    CHECK_INT(heel_connect_path_length(AF_UNIX, &name, sizeof(struct sockaddr_un)), 108);
    CHECK_INT(heel_connect_path_length(AF_UNIX, &name, sizeof(struct sockaddr_un) + 1), 0);
    name.ss_family = AF_INET;
    CHECK_INT(heel_connect_path_length(AF_UNIX, &name, sizeof(struct sockaddr_un)), 0);
}

static void only_what_was_bound_here_is_connected_to(void)
{
    struct heel_connect_refusal refusal = {NULL, NULL};
    struct heel_connect connect = to_path("/run/docker.sock", 16);

    CHECK_INT(heel_connect_decide(&connect, true, &refusal), 0);
    CHECK(!refusal.rule);
    CHECK_INT(heel_connect_decide(&connect, false, &refusal), ECONNREFUSED);
    CHECK(refusal.rule && refusal.remedy);
    connect = to_path("\0abstract", 9); /* names of the network namespace's own */
    CHECK_INT(heel_connect_decide(&connect, false, &refusal), 0);
}

static void only_what_leaves_was_cut_off(void)
{
    static const struct {
        int family;
        const char *host;
        int error;
        bool cut_off;
    } rows[] = {
        {AF_INET, "192.0.2.1", ENETUNREACH, true},
        {AF_INET6, "2001:db8::1", ENETUNREACH, true},
        {AF_INET6, "2001:db8::1", EADDRNOTAVAIL, true},
        {AF_INET6, "::ffff:192.0.2.1", ENETUNREACH, true},
        {AF_INET, "192.0.2.1", ECONNREFUSED, false},
        {AF_INET, "192.0.2.1", 0, false},
        {AF_INET, "127.8.9.1", ENETUNREACH, false},
        {AF_INET, "0.0.0.0", ENETUNREACH, false},
        {AF_INET6, "::1", ENETUNREACH, false},
        {AF_INET6, "::", ENETUNREACH, false},
        {AF_INET6, "::ffff:127.0.0.1", ENETUNREACH, false},
    };

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(rows); i++) {
        struct heel_connect connect = to_internet(rows[i].family, rows[i].host, SOCK_STREAM);
        struct heel_connect_refusal refusal;

        if (heel_connect_was_cut_off(&connect, rows[i].error, &refusal) != rows[i].cut_off)
            HEEL_TEST_FAIL("%s, errno %d: not %d", rows[i].host, rows[i].error, rows[i].cut_off);
        for (connect.length = 0; connect.length < 8; connect.length++)
            CHECK(!heel_connect_was_cut_off(&connect, ENETUNREACH, &refusal));
    }
}

static void check_printed(struct heel_connect connect, const char *expected)
{
    heel_autobuffer struct heel_buffer text = {0};

    heel_connect_print(&connect, &text);
    CHECK_STR(text.data ? text.data : "", expected);
}

static void targets_are_printed_for_people(void)
{
    check_printed(to_path("/run/docker.sock", 16), "/run/docker.sock");
    check_printed(to_path("/a\x1b[2J\n", 7), "/a\\x1b[2J\\n");
    check_printed(to_internet(AF_INET, "192.0.2.1", SOCK_STREAM), "tcp 192.0.2.1:443");
    check_printed(to_internet(AF_INET6, "2001:db8::1", SOCK_DGRAM), "udp [2001:db8::1]:443");
    check_printed((struct heel_connect){AF_INET, SOCK_STREAM, &name, 0}, "");
}

/* ---- the files of sockets ---- */

static int diag, proc;

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    REQUIRE(bind(server, (const struct sockaddr *)&address, sizeof address) == 0);
    REQUIRE(listen(server, 1) == 0);
    return server;
}

static bool is_bound(const char *path)
{
    heel_autoclose int fd = open(path, O_PATH | O_CLOEXEC);
    struct heel_socket_file file;

    REQUIRE(fd >= 0 && heel_socket_file_of(proc, fd, &file) == 0);
    return heel_unix_diag_bound(diag, &file);
}

static void check_files_in(const char *folder)
{
    heel_autofree char *path = heel_format("%s/s", folder);
    heel_autofree char *other = heel_format("%s/other", folder);
    int server;

    server = listen_at(path);
    REQUIRE(mknod(other, S_IFSOCK | 0600, 0) == 0);
    CHECK(is_bound(path));
    CHECK(!is_bound(other));
    REQUIRE(rename(path, other) == 0);
    CHECK(is_bound(other));
    close(server);
    CHECK(!is_bound(other));
    unlink(other);
}

/* More than the kernel tells at a time. */
static void one_of_many_is_found(const char *folder)
{
    int servers[600];
    heel_autofree char *first = heel_format("%s/0", folder);

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(servers); i++) {
        heel_autofree char *path = heel_format("%s/%zu", folder, i);

        servers[i] = listen_at(path);
    }
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(servers); i += 59) {
        heel_autofree char *path = heel_format("%s/%zu", folder, i);

        CHECK(is_bound(path));
    }
    close(servers[0]);
    CHECK(!is_bound(first));
    for (size_t i = 1; i < HEEL_ARRAY_LENGTH(servers); i++)
        close(servers[i]);
}

/* stat's numbers are others there. In a mount namespace of the test's own, where it may. */
static void overlays_have_numbers_of_their_own(const char *folder)
{
    heel_autofree char *options = heel_format("lowerdir=%s/lower,upperdir=%s/u/upper,workdir=%s/u/"
                                              "work",
                                              folder, folder, folder);
    heel_autofree char *upper_fs = heel_format("%s/u", folder);
    heel_autofree char *merged = heel_format("%s/merged", folder);
    static const char *const folders[] = {"lower", "u", "merged"};

    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
        printf("SKIP: no mount namespace for an overlay: %s\n", strerror(errno));
        return;
    }
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(folders); i++) {
        heel_autofree char *path = heel_format("%s/%s", folder, folders[i]);

        REQUIRE(mkdir(path, 0700) == 0);
    }
    /* Of two file systems: then an overlay's inodes are numbered on their own. */
    REQUIRE(mount("none", upper_fs, "tmpfs", 0, NULL) == 0);
    {
        heel_autofree char *upper = heel_format("%s/u/upper", folder);
        heel_autofree char *work = heel_format("%s/u/work", folder);

        REQUIRE(mkdir(upper, 0700) == 0 && mkdir(work, 0700) == 0);
    }
    if (mount("overlay", merged, "overlay", 0, options)) {
        printf("SKIP: no overlay: %s\n", strerror(errno));
        return;
    }
    check_files_in(merged);
}

static void files_are_told_apart(void)
{
    char folder[] = "/tmp/heel-connects-XXXXXX";
    heel_autofree char *remove = NULL;
    int status;
    pid_t pid;

    REQUIRE(mkdtemp(folder));
    diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(diag >= 0 && proc >= 0);
    check_files_in(folder);
    one_of_many_is_found(folder);
    pid = fork();
    if (pid == 0) {
        overlays_have_numbers_of_their_own(folder);
        _exit(heel_test_end());
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK_INT(status, 0);
    remove = heel_format("rm -rf %s", folder);
    CHECK_INT(system(remove), 0);
}

/* ---- closing ---- */

/* A socket whose last close waits: its peer takes nothing more. */
static int lingering_socket(int *peer)
{
    const struct linger linger = {1, 30};
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pollfd room = {client, POLLOUT, 0};
    static const char data[65536];

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(server, (struct sockaddr *)&address, sizeof address) == 0);
    REQUIRE(listen(server, 1) == 0);
    REQUIRE(getsockname(server, (struct sockaddr *)&address, &length) == 0);
    REQUIRE(connect(client, (struct sockaddr *)&address, sizeof address) == 0);
    *peer = accept(server, NULL, NULL);
    close(server);
    /* The peer's buffer may grow: full is what stays so. */
    do
        while (send(client, data, sizeof data, MSG_DONTWAIT) > 0)
            ;
    while (poll(&room, 1, 200) > 0);
    REQUIRE(setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
    return client;
}

static void wait_for_hangup(int fd)
{
    struct pollfd event = {fd, POLLIN, 0};

    CHECK_INT(poll(&event, 1, 20000), 1);
}

static void closing_does_not_wait(void)
{
    struct heel_closer *closer = heel_closer_new();
    int peer, pipe_ends[2];

    REQUIRE(pipe2(pipe_ends, O_CLOEXEC) == 0);
    REQUIRE(heel_closer_reserve(closer));
    heel_closer_take(closer, pipe_ends[1]);
    wait_for_hangup(pipe_ends[0]);
    REQUIRE(heel_closer_reserve(closer));
    heel_closer_take(closer, lingering_socket(&peer));
    REQUIRE(heel_closer_reserve(closer));
    heel_closer_take(closer, -1);
    /* What waits has a bound. */
    for (int i = 0; i < 256 && heel_closer_reserve(closer); i++) {
        CHECK(i < 128);
        heel_closer_take(closer, dup(pipe_ends[0]));
    }
    CHECK(!heel_closer_reserve(closer) || peer < 0);
    heel_closer_free(closer);
    close(peer); /* unread data: a reset, which ends the wait */
}

int main(void)
{
    paths_are_what_the_kernel_takes_for_paths();
    only_what_was_bound_here_is_connected_to();
    only_what_leaves_was_cut_off();
    targets_are_printed_for_people();
    files_are_told_apart();
    closing_does_not_wait();
    return heel_test_end();
}
